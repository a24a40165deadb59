// cnitool validate.
#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "app/application.h"
#include "environment.h"
#include "log.h"
#include "runtime_options.h"
#include "unicni/runtime.h"
#include "verbs.h"

namespace unicni::cnitool {
namespace {

using app::Cell;
using app::Tone;

const app::TableShape& table() {
  static const app::TableShape shape{
      "files",
      nullptr,
      app::Form::rows,
      {{"path", "FILE", "string", "the file"},
       {"network", "NETWORK", "string or null", "the network's name, null if it can't be read"},
       {"verdict", "VERDICT", "string", "valid or invalid"},
       {"problem", "PROBLEM", "string or null", "why it is invalid, and what mends it"},
       {"warnings", "WARNINGS", "array of strings", "what is allowed but looks like a mistake"},
       {"capabilities", nullptr, "array of strings",
        "keys of runtimeConfig that plugins ask for; empty if the plugins weren't looked for"}}};
  return shape;
}

std::string text_of(const Error& error) {
  return error.details().empty() ? error.msg() : error.msg() + "; " + error.details();
}

/// What is said of the file that is looked at, for its row.
class Remarks final : public LogSink {
 public:
  explicit Remarks(const app::Output& output) : log_(output) {}
  void log(LogLevel level, std::string_view member, std::string_view text) noexcept override {
    try {
      if (level != LogLevel::warning) return log_.log(level, member, text);
      warnings_.push_back(member.empty() ? std::string(text) : fmt::format("{}: {}", member, text));
    } catch (const std::exception&) {
      log_.log(level, member, text);
    }
  }
  void pass_on(std::string_view bytes) noexcept override { log_.pass_on(bytes); }
  std::vector<std::string> take() { return std::exchange(warnings_, {}); }

 private:
  Log log_;
  std::vector<std::string> warnings_;
};

class Validate final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.operands(files_, "FILE", "Files of networks");
  }

  app::ExitStatus run(app::Output& output) override {
    Remarks remarks(output);
    std::optional<Runtime> runtime;
    if (plugin_folders().empty()) {
      output.say("CNI_PATH is not set: whether the plugins are there isn't looked at");
    } else {
      RuntimeOptions options = runtime_options(Isolation::process);
      options.log = &remarks;
      runtime.emplace(options);
    }
    app::Report report;
    report.add_table(table());
    bool are_valid = true;
    for (const std::string& file : files_) {
      are_valid = add(report, file, runtime ? &*runtime : nullptr, remarks) && are_valid;
    }
    output.put(report);
    return are_valid ? app::ExitStatus::done : app::ExitStatus::failed;
  }

 private:
  static bool add(app::Report& report, const std::string& file, const Runtime* runtime,
                  Remarks& remarks) {
    std::optional<NetworkConfig> network;
    std::vector<std::string> capabilities;
    std::vector<std::string> warnings;
    std::optional<std::string> problem;
    try {
      network = Runtime::get_network_file(absolute(file));
      warnings = network->warnings();
      if (runtime != nullptr) {
        require_plugins(*network);
        capabilities = runtime->validate(*network);
      }
    } catch (const Error& error) {
      problem = text_of(error);
    }
    for (std::string& each : remarks.take()) warnings.push_back(std::move(each));
    report.add_row({Cell::text(file), network ? Cell::text(network->name()) : Cell(),
                    problem ? Cell::text("invalid", Tone::bad) : Cell::text("valid", Tone::good),
                    Cell::text_or_none(problem), Cell::list(warnings), Cell::list(capabilities)});
    return !problem;
  }

  std::vector<std::string> files_;
};

}  // namespace

app::VerbText validate_verb() {
  return {"validate",
          "Look for mistakes in files of networks, and for missing plugins",
          "Each plugin, and the IPAM plugin that it names, is looked for in CNI_PATH and must "
          "support the network's version. Options of unicni's modules are read as add reads them: "
          "a wrong value makes a file invalid, an unknown key is a warning. The same holds for the "
          "plugins of a list of type unicni, inline or its chain's, and for a plugin that another "
          "one gives its work to. Nothing is attached. "
          "The status is 1 if a file is invalid.",
          "CNI_PATH=/opt/cni/bin cnitool validate /etc/cni/net.d/*.conflist\n"
          "CNI_PATH=/opt/cni/bin cnitool validate --json 10-mynet.conf",
          {&table()},
          app::make_verb<Validate>};
}

}  // namespace unicni::cnitool
