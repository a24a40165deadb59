// unictl conformance: what the CNI specification asks, and whether a plugin does it.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/application.h"
#include "app/own_place.h"
#include "base/given_file.h"
#include "base/shell_word.h"
#include "conformance/junit.h"
#include "conformance/machine.h"
#include "conformance/module_folder.h"
#include "conformance/suite.h"
#include "conformance_report.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

namespace fs = std::filesystem;
using conformance::Verdict;

Error wrong(const std::string& what, std::string advice) {
  return {Code::invalid_config, what, std::move(advice)};
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
    options.flag(ipam_, "--ipam", "The plugin is called by others, which it gives addresses");
    options.value(profile_, "--profile", "FILE",
                  "Take configuration and needs of the plugin from this profile");
    options.values(ids_, "--id", "IDS",
                   "Make only the checks about these requirements (EXEC-07,DEL-02)");
    options.flag(all_, "--all", "Show all checks, also those that found nothing");
    options.value(junit_, "--junit", "FILE", "Write a JUnit report to this file");
    options.number(
        call_seconds_, "--call-limit", "SECONDS", 1, 600,
        "End a call of the plugin that has no answer after this time (5, and up to 30 on "
        "a slow machine); after three in a row the plugin isn't called any more");
    options.number(seconds_, "--time-limit", "SECONDS", 1, 3600,
                   "Make no more checks after this time (60, and up to 360 on a slow machine)");
    options.exclude("--profile", "--conf");
    options.exclude("--profile", "--chained");
    options.exclude("--profile", "--ipam");
    options.exclude("--chained", "--ipam");
  }

  app::ExitStatus run(app::Output& output) override {
    try {
      return check(output);
    } catch (const conformance::CannotRun& error) {
      throw Error(Code::invalid_environment, error.what(), error.advice());
    }
  }

 private:
  app::ExitStatus check(app::Output& output) {
    const std::vector<std::string> ids = wanted_ids();
    const std::string path = plugin_path();
    conformance::Subject subject(path, profile(fs::path(path).filename()), other_folders());
    if (junit_) write_junit("");  // nobody wants to make the checks for nothing
    conformance::Limits limits = limits_here();
    const auto start = std::chrono::steady_clock::now();
    subject.ask_versions(std::min(limits.call, limits.all));
    limits.all -=
        std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    conformance::Course course;
    {
      Progress progress;
      course =
          run_suite(subject, ids, limits, [&](const Verdict& verdict) { progress.heard(verdict); });
    }
    output.put(report_of(subject, course, output.is_json(), all_));
    if (junit_) write_junit(conformance::junit(subject.type(), course.verdicts));
    return status_of(conformity_of(course.verdicts));
  }

  static app::ExitStatus status_of(conformance::Conformity conformity) {
    switch (conformity) {
      case conformance::Conformity::conforming:
        return app::ExitStatus::done;
      case conformance::Conformity::not_conforming:
        return app::ExitStatus::failed;
      case conformance::Conformity::undecided:
        break;
    }
    return app::ExitStatus::undecided;
  }

  [[nodiscard]] conformance::Limits limits_here() const {
    const int slowness = conformance::slowness_of_machine();
    conformance::Limits limits;
    limits.call *= slowness;
    limits.all *= slowness;
    if (call_seconds_) limits.call = std::chrono::seconds(*call_seconds_);
    if (seconds_) limits.all = std::chrono::seconds(*seconds_);
    limits.check = std::max(limits.check, 6 * limits.call);
    return limits;
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
    if (wanted.empty() && !ids_.empty()) throw wrong("--id names no requirement", "");
    return wanted;
  }

  std::string plugin_path() {
    std::string path = plugin_;
    std::error_code error;
    if (path.find('/') == path.npos && !fs::is_regular_file(path, error)) {
      path = fs::path(app::own_executable()).parent_path() / path;
    }
    path = fs::absolute(path).lexically_normal();
    require_file(path);
    if (!path.ends_with(".so")) {
      require_executable(path);
      return path;
    }
    module_ = std::make_unique<conformance::ModuleFolder>(path, app::own_executable());
    return module_->plugin();
  }

  static void require_file(const std::string& path) {
    std::error_code error;
    const fs::file_status file = fs::status(path, error);
    if (fs::is_regular_file(file)) return;
    if (fs::is_directory(file)) throw wrong(path + " is a folder", "name the plugin's file in it");
    if (fs::exists(file)) throw wrong(path + " is no file that can be executed", "");
    if (fs::is_symlink(fs::symlink_status(path, error))) {
      throw wrong(fmt::format("{} is a link to {}, which isn't there", path,
                              fs::read_symlink(path, error).string()),
                  "mend the link, or give the plugin's own file");
    }
    throw wrong("there is no plugin " + path, "give the path of its file");
  }

  /// What else may keep it from being executed, its first call tells.
  static void require_executable(const std::string& path) {
    const std::string folder = fs::path(path).parent_path();
    if (folder == "/run" || folder == "/var/lib") {
      throw wrong(fmt::format("{} is empty where a check is made", folder),
                  "put the plugin into a folder of its own");
    }
    if (::access(path.c_str(), X_OK) == 0) return;
    struct stat file {};
    const bool has_bit = ::stat(path.c_str(), &file) == 0 && (file.st_mode & 0111U) != 0;
    throw wrong(fmt::format("{} isn't executable", path),
                has_bit ? "its filesystem may be mounted noexec, or it is another user's"
                        : fmt::format("chmod +x {}", shell_word(path)));
  }

  /// Those of CNI_PATH.
  static std::vector<std::string> other_folders() {
    const char* list = std::getenv("CNI_PATH");
    std::istringstream words(list == nullptr ? "" : list);
    std::vector<std::string> folders;
    for (std::string folder; std::getline(words, folder, ':');) {
      if (!folder.empty()) folders.push_back(fs::absolute(folder).lexically_normal());
    }
    return folders;
  }

  [[nodiscard]] std::optional<conformance::Kind> kind() const {
    if (chained_) return conformance::Kind::chained;
    if (ipam_) return conformance::Kind::ipam;
    return std::nullopt;
  }

  /// Given, beside the module, or installed for a plugin of that name.
  [[nodiscard]] conformance::Profile profile(const std::string& type) const {
    std::string path = config_ ? *config_ : profile_.value_or("");
    if (path.empty()) {
      const fs::path prefix =
          fs::path(app::own_executable()).parent_path().parent_path().parent_path();
      path = prefix / UNICNI_SHARE_IN_PREFIX / "conformance" / (type + ".json");
      if (!fs::exists(path)) {
        throw wrong(fmt::format("it is not known how to call \"{}\"", type),
                    "give a configuration (--conf) or a profile (--profile)");
      }
    }
    const auto text = read_given_file(path, sys::kFileLimit);
    if (!text) throw wrong("there is no file " + path, "");
    try {
      if (config_) return conformance::profile_of_text(type, *text, kind());
      return conformance::profile_from(conformance::parse_json(*text));
    } catch (const std::exception& error) {
      throw wrong(fmt::format("{}: {}", path, error.what()), "");
    }
  }

  void write_junit(const std::string& text) const {
    std::ofstream file(*junit_);
    file << text;
    if (!file.flush()) throw Error(Code::io, system_error(errno, "write " + *junit_).msg());
  }

  std::string plugin_;
  std::optional<std::string> config_;
  std::optional<std::string> profile_;
  bool chained_ = false;
  bool ipam_ = false;
  bool all_ = false;
  std::vector<std::string> ids_;
  std::optional<std::string> junit_;
  std::optional<std::int64_t> call_seconds_;
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
      "and ip(8) and tc(8); nft(8) if what is left of rules is to be seen.\n"
      "A plugin that isn't installed with unicni needs a configuration, as a runtime would read "
      "it, with any cniVersion: each that the plugin supports is tried. Of a list the member "
      "counts whose type, or ipam.type, is the name of the plugin's file. What the plugin is, "
      "the configuration shows: IPAM if its ipam.type is the plugin, chained if it isn't the "
      "first of its list, else an interface plugin. Plugins that it calls are looked for beside "
      "it and in CNI_PATH.\n"
      "An interface plugin finds an empty container. A chained one finds eth0 in it, a veth to "
      "the host with an IPv4 address and a default route, and the prevResult of whoever made it; "
      "one of the configuration isn't used. A profile (--profile) can say more: commands that "
      "prepare the host, files, another CNI_IFNAME. tests/conformance/README.md of the sources "
      "has its keys, and the report's requirements by their ids.",
      "unictl conformance bridge\n"
      "unictl conformance /opt/cni/bin/calico --conf /etc/cni/net.d/10-calico.conflist\n"
      "CNI_PATH=/opt/cni/bin unictl conformance ./mybridge --conf mybridge.conf --junit r.xml\n"
      "unictl conformance ./myipam --ipam --conf mybridge.conf\n"
      "unictl conformance ./mine.so --profile conformance.json --id DEL-02,DEL-03\n"
      "unshare -Urnm unictl conformance /usr/lib/cni/tuning --chained --conf tuning.conf",
      conformance_tables(),
      app::make_verb<Conformance>,
      app::ExitStatus::usage,
      {{"0", "Conforming: no requirement of the level must is violated."},
       {"1", "Not conforming: one is."},
       {"2",
        "No verdict: it was called wrongly, the plugin can't be executed, this machine gives no "
        "namespaces, or the report can't be written."},
       {"3", "Undecided: none was seen violated, but one couldn't be checked, or no check made."}},
      app::ExitStatus::usage};
}

}  // namespace unicni::unictl
