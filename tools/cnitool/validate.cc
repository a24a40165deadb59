// cnitool validate.
#include <algorithm>

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

class Validate final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.operands(files_, "FILE", "Files of networks");
  }

  app::ExitStatus run(app::Output& output) override {
    Log log(output);
    std::optional<Runtime> runtime;
    if (plugin_folders().empty()) {
      output.say("CNI_PATH is not set: whether the plugins are there isn't looked at");
    } else {
      RuntimeOptions options = runtime_options(Isolation::process);
      options.log = &log;
      runtime.emplace(options);
    }
    app::Report report;
    report.add_table(table());
    bool are_valid = true;
    for (const std::string& file : files_) {
      are_valid = add(report, file, runtime ? &*runtime : nullptr) && are_valid;
    }
    output.put(report);
    return are_valid ? app::ExitStatus::done : app::ExitStatus::failed;
  }

 private:
  static bool add(app::Report& report, const std::string& file, const Runtime* runtime) {
    std::optional<NetworkConfig> network;
    std::vector<std::string> capabilities;
    std::optional<std::string> problem;
    try {
      network = Runtime::get_network_file(absolute(file));
      if (runtime != nullptr) {
        require_plugins(*network);
        capabilities = runtime->validate(*network);
      }
    } catch (const Error& error) {
      problem = text_of(error);
    }
    report.add_row({Cell::text(file), network ? Cell::text(network->name()) : Cell(),
                    problem ? Cell::text("invalid", Tone::bad) : Cell::text("valid", Tone::good),
                    Cell::text_or_none(problem),
                    Cell::list(network ? network->warnings() : std::vector<std::string>()),
                    Cell::list(capabilities)});
    return !problem;
  }

  std::vector<std::string> files_;
};

}  // namespace

app::VerbText validate_verb() {
  return {"validate",
          "Look whether files are networks whose plugins are there",
          "Each plugin, and the IPAM plugin that it names, is looked for in CNI_PATH and must "
          "support the network's version. Nothing is attached. The status is 1 if a file is "
          "invalid.",
          "CNI_PATH=/opt/cni/bin cnitool validate /etc/cni/net.d/*.conflist\n"
          "CNI_PATH=/opt/cni/bin cnitool validate --json 10-mynet.conf",
          {&table()},
          app::make_verb<Validate>};
}

}  // namespace unicni::cnitool
