// unictl compile: chains and policies into what the executable reads.
#include "compile/compile.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "app/application.h"
#include "document/chain.h"
#include "place.h"
#include "protocol/reply.h"
#include "protocol/version.h"
#include "settings/compiled.h"
#include "settings/settings.h"
#include "unicni/error.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

using app::Cell;
using app::Tone;

constexpr std::chrono::seconds kTime{60};

const app::TableShape& table() {
  static const app::TableShape shape{
      "compiled",
      nullptr,
      app::Form::rows,
      {{"subject", "SUBJECT", "string", "policy, or chain: and a name"},
       {"sources", "SOURCES", "array of strings",
        "what it was made of: the folder, then files; the executable and its folder of modules"},
       {"settled", "SETTLED", "boolean",
        "whether the sources are old enough for a change to show; else it is compiled again"},
       {"problem", "PROBLEM", "string or null", "why it can't be compiled"}}};
  return shape;
}

class Compile final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.optional_operands(subjects_, "SUBJECT",
                              "policy, or chain:NAME; without any, all that there are");
    options.flag(prints_, "--print",
                 "Print what the executable reads, or its error; for one subject");
    place_.declare(options);
  }

  app::ExitStatus run(app::Output& output) override {
    const Folders folders = place_.folders();
    if (prints_ && subjects_.size() != 1) {
      output.fail({Code::invalid_environment, "--print is for one subject",
                   "name policy, or chain: and the chain's name"});
      return app::ExitStatus::usage;
    }
    const auto wrong = std::find_if_not(subjects_.begin(), subjects_.end(), is_subject);
    if (wrong != subjects_.end()) {
      output.fail(
          {Code::invalid_environment, fmt::format("\"{}\" is nothing to compile", *wrong),
           fmt::format("write policy, or {} for the chain", settings::chain_subject(*wrong))});
      return app::ExitStatus::usage;
    }
    const module::Locations where = place_.locations();
    compile::Compiler compiler(folders, where, std::chrono::steady_clock::now() + kTime,
                               place_.keep());
    if (prints_) return print(compiler, output);
    if (subjects_.empty()) {
      place_.require_settings();
      subjects_ = all(folders);
    }
    report_.add_table(table());
    bool has_failed = false;
    for (const std::string& subject : subjects_) {
      has_failed = !compile(compiler, subject, output) || has_failed;
    }
    output.put(report_);
    return has_failed ? app::ExitStatus::failed : app::ExitStatus::done;
  }

 private:
  static std::vector<std::string> all(const Folders& folders) {
    std::vector<std::string> subjects;
    if (settings::has_policies(folders)) subjects.emplace_back(settings::kPolicy);
    for (const std::string& name : document::list_chains(folders.chains())) {
      subjects.push_back(settings::chain_subject(name));
    }
    return subjects;
  }

  static bool is_subject(const std::string& text) {
    return text == settings::kPolicy || text.starts_with(settings::chain_subject(""));
  }

  /// The verb that asked reads stdout, whatever it is.
  app::ExitStatus print(compile::Compiler& compiler, app::Output& output) const {
    try {
      output.write(settings::print_compiled(compiler.compile(subjects_.front())));
      return app::ExitStatus::done;
    } catch (const Error& error) {
      output.write(protocol::print_error(error, protocol::version_text(protocol::kNewest)));
      return app::ExitStatus::failed;
    }
  }

  bool compile(compile::Compiler& compiler, const std::string& subject, app::Output& output) {
    try {
      const settings::Compiled compiled = compiler.compile(subject);
      for (const std::string& text : compiled.warnings) output.warn(text);
      std::vector<std::string> sources;
      for (const settings::Source& source : compiled.sources) sources.push_back(source.path);
      report_.add_row(
          {Cell::text(subject), Cell::list(sources), Cell::flag(compiled.is_settled), Cell()});
      return true;
    } catch (const Error& error) {
      report_.add_row({Cell::text(subject), Cell::list({}), Cell::flag(false),
                       Cell::text(error.msg(), Tone::bad)});
      return false;
    }
  }

  PlaceOptions place_;
  std::vector<std::string> subjects_;
  bool prints_ = false;
  app::Report report_;
};

}  // namespace

app::VerbText compile_verb() {
  return {"compile",
          "Compile chains and policies for the executable",
          "The executable reads no YAML. The first ADD that finds a chain or a policy changed runs "
          "this verb, which so need not be called by hand; it is to see whether it would succeed, "
          "and to spare that ADD the time.\n"
          "The status is 1 if something can't be compiled.",
          "unictl compile\n"
          "unictl compile policy\n"
          "unictl compile --settings ./etc --run /tmp/try chain:web",
          {&table()},
          [] { return std::unique_ptr<app::Verb>(std::make_unique<Compile>()); }};
}

}  // namespace unicni::unictl
