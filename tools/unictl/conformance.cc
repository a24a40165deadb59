// unictl conformance: what the CNI specification asks, and whether a plugin does it.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/application.h"
#include "app/own_place.h"
#include "conformance/junit.h"
#include "conformance/module_folder.h"
#include "conformance/suite.h"
#include "unicni/error.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

namespace fs = std::filesystem;
using app::Cell;
using app::Tone;
using conformance::Outcome;
using conformance::Verdict;

const app::TableShape& plugin_table() {
  static const app::TableShape shape{
      "plugin",
      nullptr,
      app::Form::record,
      {{"path", "plugin", "string", "the plugin's file"},
       {"versions", "versions", "array of strings",
        "versions that it supports and the suite knows"},
       {"passed", "passed", "integer", "checks that found nothing"},
       {"violated", "violated", "integer", "checks that found a requirement violated"},
       {"blocked", "blocked", "integer",
        "checks that could not be made, as what they need first didn't work"},
       {"not_applicable", "not applicable", "integer",
        "checks about other kinds of plugins, or versions that it doesn't support"},
       {"conforming", "conforming", "boolean",
        "no requirement of the level must is violated, and each check of that level was made"}}};
  return shape;
}

const app::TableShape& finding_table() {
  static const app::TableShape shape{
      "findings",
      "Findings",
      app::Form::rows,
      {{"id", "ID", "string", "the requirement"},
       {"level", "LEVEL", "string", "must, should or may"},
       {"requirement", "REQUIREMENT", "string", "what the check requires"},
       {"seen", "SEEN", "string", "what the plugin did, or why the check could not be made"}}};
  return shape;
}

const app::TableShape& check_table() {
  static const app::TableShape shape{
      "checks",
      "Checks",
      app::Form::rows,
      {{"ids", "IDS", "string", "the requirements that it is about, with blanks between"},
       {"level", "LEVEL", "string", "must, should or may"},
       {"requirement", "REQUIREMENT", "string", "what it requires"},
       {"outcome", "OUTCOME", "string", "passed, violated, blocked or not applicable"},
       {"milliseconds", "MS", "integer", "how long it took"}}};
  return shape;
}

Tone tone_of(const Verdict& verdict) {
  if (verdict.outcome == Outcome::passed) return Tone::good;
  return is_failure(verdict) ? Tone::bad : Tone::faint;
}

Error wrong(const std::string& what, std::string advice) {
  return {Code::invalid_config, what, std::move(advice)};
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw wrong("can't read " + path, "");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// How far it is, on a line that is written again and again. Only for a person who waits.
class Progress {
 public:
  Progress() : shown_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void heard(const Verdict& verdict) {
    if (!shown_) return;
    std::fputs(fmt::format("\r\x1b[K{} checks, {}", ++count_, verdict.check.ids).c_str(), stderr);
  }

 private:
  bool shown_;
  int count_ = 0;
};

class Conformance final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.operand(plugin_, "PLUGIN",
                    "A plugin's file, a module's file NAME.so, or the type of an installed plugin");
    options.value(config_, "--conf", "FILE",
                  "Call the plugin with this configuration, or with its member of this list");
    options.flag(chained_, "--chained",
                 "The plugin stands behind another one: it gets a link and a prevResult");
    options.value(profile_, "--profile", "FILE",
                  "Take configuration and needs of the plugin from this profile");
    options.values(ids_, "--id", "IDS",
                   "Make only the checks about these requirements (EXEC-07,DEL-02)");
    options.flag(all_, "--all", "Show all checks, also those that found nothing");
    options.value(junit_, "--junit", "FILE", "Write a JUnit report to this file");
    options.number(seconds_, "--time-limit", "SECONDS", 1, 3600,
                   "Make no more checks after this time (60)");
    options.exclude("--profile", "--conf");
    options.exclude("--profile", "--chained");
  }

  app::ExitStatus run(app::Output& output) override {
    try {
      return check(output);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(Code::internal, error.what(), "");
    }
  }

 private:
  app::ExitStatus check(app::Output& output) {
    const std::vector<std::string> ids = wanted_ids();
    const std::string path = plugin_path();
    conformance::Subject subject(path, profile(fs::path(path).filename()));
    conformance::Limits limits;
    if (seconds_) limits.all = std::chrono::seconds(*seconds_);
    const auto start = std::chrono::steady_clock::now();
    subject.ask_versions();
    limits.all -=
        std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    std::vector<Verdict> verdicts;
    {
      Progress progress;
      verdicts =
          run_suite(subject, ids, limits, [&](const Verdict& verdict) { progress.heard(verdict); });
    }
    if (junit_) write_junit(subject.type(), verdicts);
    output.put(report(subject, verdicts, all_ || output.is_json()));
    return std::any_of(verdicts.begin(), verdicts.end(), &conformance::is_failure)
               ? app::ExitStatus::failed
               : app::ExitStatus::done;
  }

  /// Of --id, whose values may have commas.
  [[nodiscard]] std::vector<std::string> wanted_ids() const {
    std::set<std::string> known;
    for (const conformance::Check& check : conformance::all_checks()) {
      for (const std::string& id : ids_of(check)) known.insert(id);
    }
    std::vector<std::string> wanted;
    for (const std::string& value : ids_) {
      std::istringstream words(value);
      for (std::string id; std::getline(words, id, ',');) {
        if (!known.contains(id)) {
          throw wrong(fmt::format("no check is about \"{}\"", id),
                      "ids are as EXEC-07; tests/conformance/REQUIREMENTS.md of the sources has "
                      "them all");
        }
        wanted.push_back(id);
      }
    }
    return wanted;
  }

  std::string plugin_path() {
    std::string path = plugin_;
    if (path.find('/') == path.npos && !fs::exists(path)) {
      path = fs::path(app::own_executable()).parent_path() / path;
    }
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) {
      throw wrong("there is no plugin " + path, "give the path of its file");
    }
    path = fs::absolute(path).lexically_normal();
    if (!path.ends_with(".so")) return path;
    module_ = std::make_unique<conformance::ModuleFolder>(path, app::own_executable());
    return module_->plugin();
  }

  /// Given, beside the module, or installed for a plugin of that name.
  [[nodiscard]] conformance::Profile profile(const std::string& type) const {
    if (config_) return conformance::profile_of_text(type, read_all(*config_), chained_);
    std::string path = profile_.value_or("");
    if (path.empty()) {
      const fs::path prefix =
          fs::path(app::own_executable()).parent_path().parent_path().parent_path();
      path = prefix / UNICNI_SHARE_IN_PREFIX / "conformance" / (type + ".json");
      if (!fs::exists(path)) {
        throw wrong(fmt::format("it is not known how to call \"{}\"", type),
                    "give a configuration (--conf) or a profile (--profile)");
      }
    }
    const conformance::Json json = conformance::parse_json(read_all(path));
    return conformance::profile_from(json);
  }

  void write_junit(const std::string& type, const std::vector<Verdict>& verdicts) const {
    std::ofstream file(*junit_);
    file << conformance::junit(type, verdicts);
    if (!file.flush()) throw Error(Code::io, "can't write " + *junit_, "");
  }

  static app::Report report(const conformance::Subject& subject,
                            const std::vector<Verdict>& verdicts, bool all) {
    app::Report report;
    std::map<Outcome, std::int64_t> counts;
    for (const Verdict& verdict : verdicts) ++counts[verdict.outcome];
    const bool failed = std::any_of(verdicts.begin(), verdicts.end(), &conformance::is_failure);
    report.add_table(plugin_table());
    report.add_row({Cell::text(subject.program()), Cell::list(subject.versions()),
                    Cell::number(counts[Outcome::passed]), Cell::number(counts[Outcome::violated]),
                    Cell::number(counts[Outcome::blocked]),
                    Cell::number(counts[Outcome::not_applicable]),
                    Cell::flag(!failed, failed ? Tone::bad : Tone::good)});
    report.add_table(finding_table());
    for (const Verdict& verdict : verdicts) add_findings(report, verdict);
    if (!all) return report;
    report.add_table(check_table());
    for (const Verdict& verdict : verdicts) {
      report.add_row({Cell::text(verdict.check.ids), Cell::text(to_string(verdict.check.level)),
                      Cell::text(verdict.check.what),
                      Cell::text(to_string(verdict.outcome), tone_of(verdict)),
                      Cell::number(verdict.took.count())});
    }
    return report;
  }

  static void add_findings(app::Report& report, const Verdict& verdict) {
    const auto add = [&](const std::string& id, const std::string& seen) {
      report.add_row({Cell::text(id, tone_of(verdict)), Cell::text(to_string(verdict.check.level)),
                      Cell::text(verdict.check.what), Cell::text(seen)});
    };
    for (const conformance::Finding& finding : verdict.findings) add(finding.id, finding.text);
    if (verdict.outcome == Outcome::blocked) {
      add(ids_of(verdict.check).front(), "not checked: " + verdict.why);
    }
  }

  std::string plugin_;
  std::optional<std::string> config_;
  std::optional<std::string> profile_;
  bool chained_ = false;
  bool all_ = false;
  std::vector<std::string> ids_;
  std::optional<std::string> junit_;
  std::optional<std::int64_t> seconds_;
  std::unique_ptr<conformance::ModuleFolder> module_;
};

}  // namespace

app::VerbText conformance_verb() {
  return {
      "conformance",
      "Hold a plugin of any maker to the CNI specification",
      "The plugin is called as runtimes call it, well and badly, and what it prints, makes and "
      "leaves is compared with what the specification asks. Each check runs in network, pid and "
      "mount namespaces of its own, which end with all that the plugin has started; /run, "
      "/var/lib and /etc/unicni are empty there. It needs root, or the root of a user namespace, "
      "and ip(8) and "
      "tc(8); nft(8) if what is left of rules is to be seen.\n"
      "A plugin that isn't installed with unicni needs a configuration. A plugin that the "
      "suite's --conf calls is taken to be of the kind that its configuration shows; a profile "
      "can say more, such as commands that prepare a host.\n"
      "The status is 1 if a requirement of the level must is violated, or couldn't be checked.",
      "unictl conformance bridge\n"
      "unictl conformance /opt/cni/bin/calico --conf /etc/cni/net.d/10-calico.conflist\n"
      "unictl conformance ./mine.so --profile conformance.json --id DEL-02,DEL-03\n"
      "unshare -Urnm unictl conformance /usr/lib/cni/tuning --chained --conf tuning.conf",
      {&plugin_table(), &finding_table(), &check_table()},
      app::make_verb<Conformance>};
}

}  // namespace unicni::unictl
