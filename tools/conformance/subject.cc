#include "conformance/subject.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "conformance/host_state.h"
#include "conformance/private_host.h"
#include "conformance/silence.h"
#include "probe/process.h"

namespace unicni::conformance {
namespace {

Kind kind_from(const std::string& text) {
  if (text == "interface") return Kind::interface;
  if (text == "chained") return Kind::chained;
  if (text == "ipam") return Kind::ipam;
  throw std::runtime_error("profile: \"kind\" is interface, chained or ipam, not \"" + text + '"');
}

using Commands = std::vector<std::vector<std::string>>;

/// One key of a profile: its name and where it goes.
template <class T>
bool take(const std::string& key, const Json& value, const char* name, T& into) {
  if (key != name) return false;
  into = value.get<T>();
  return true;
}

/// Where host-local keeps the addresses of a network, if it is the IPAM.
std::string reservations_of(const Json& config) {
  const Json ipam = config.value("ipam", Json::object());
  if (ipam.value("type", "") != "host-local") return {};
  return ipam.value("dataDir", "/var/lib/cni/networks") + '/' + config.value("name", "");
}

std::string ipam_type_of(const Json& config) {
  const Json ipam = config.value("ipam", Json());
  return ipam.is_object() ? ipam.value("type", "") : "";
}

std::string advice_for(int exec_error) {
  utsname machine{};
  ::uname(&machine);
  switch (exec_error) {
    case ENOEXEC:
      return std::string("a program must be built for Linux on ") + machine.machine +
             ", a script needs \"#!\" and its interpreter in its first line";
    case ENOENT:
      return "the interpreter in a script's first line, or the loader that a program was linked "
             "for, isn't on this machine";
    case EACCES:
      return "it must be executable (chmod +x), as its folders, and on a filesystem that isn't "
             "mounted noexec";
    default:
      return "";
  }
}

/// What comes out of the namespaces: a flag, and a text.
constexpr char kAnswered = 'a';
constexpr char kSilent = 's';
constexpr char kNotExecuted = 'x';

std::string ask(const std::string& program, std::chrono::milliseconds limit) {
  std::filesystem::create_directories(kWorkingFolder);
  const probe::Output output = probe::run({.argv = {program},
                                           .env = {"CNI_COMMAND=VERSION"},
                                           .in = "{}",
                                           .folder = kWorkingFolder,
                                           .own_session = true,
                                           .limit = limit});
  if (output.exec_error != 0) return kNotExecuted + std::to_string(output.exec_error);
  const std::string silence = silence_of(output, limit);
  return silence.empty() ? kAnswered + output.out : kSilent + silence;
}

}  // namespace

Profile profile_from(const Json& json) {
  if (!json.is_object() || !json.contains("config") || !json["config"].is_object()) {
    throw std::runtime_error("a profile is a JSON object with an object \"config\"");
  }
  Profile profile;
  for (const auto& [key, value] : json.items()) {
    try {
      if (key == "kind") {
        profile.kind = kind_from(value.get<std::string>());
      } else if (key == "config") {
        profile.config = value;
      } else if (key == "smallPool") {
        profile.small_pool = value;
      } else if (!take(key, value, "ifName", profile.if_name) &&
                 !take(key, value, "creates", profile.creates) &&
                 !take(key, value, "passesOn", profile.passes_on) &&
                 !take(key, value, "rewrites", profile.rewrites) &&
                 !take(key, value, "reservations", profile.reservations) &&
                 !take(key, value, "host", profile.host) &&
                 !take(key, value, "perAttachment", profile.per_attachment) &&
                 !take(key, value, "files", profile.files) &&
                 !take(key, value, "givenAway", profile.given_away)) {
        throw std::runtime_error("no such key");
      }
    } catch (const std::exception& error) {
      throw std::runtime_error("profile: \"" + key + "\": " + error.what());
    }
  }
  if (profile.kind != Kind::interface) profile.creates = false;
  if (profile.reservations.empty()) profile.reservations = reservations_of(profile.config);
  return profile;
}

Profile profile_for(const std::string& type, Json config, std::optional<Kind> kind) {
  Profile profile;
  profile.kind = kind.value_or(ipam_type_of(config) == type ? Kind::ipam : Kind::interface);
  if (type == "loopback") profile.if_name = "lo";
  profile.creates = profile.kind == Kind::interface && profile.if_name != "lo";
  profile.reservations = reservations_of(config);
  profile.config = std::move(config);
  profile.config.erase("cniVersion");
  profile.config.erase("prevResult");
  return profile;
}

Profile profile_of_text(const std::string& type, const std::string& text,
                        std::optional<Kind> kind) {
  const Json file = parse_json(text);
  if (!file.is_object()) throw std::runtime_error("a configuration is one JSON object");
  if (!file.contains("plugins") || type == "unicni") return profile_for(type, file, kind);
  bool first = true;
  std::string types;
  for (Json member : file["plugins"]) {
    if (!member.is_object()) throw std::runtime_error("a plugin of the list is no JSON object");
    const std::string its = member.value("type", "");
    if (its == type || ipam_type_of(member) == type) {
      member["name"] = file.value("name", "");
      if (!kind && its == type && !first) kind = Kind::chained;
      return profile_for(type, member, kind);
    }
    types += (first ? "" : ", ") + its;
    first = false;
  }
  throw std::runtime_error("no plugin of the list has the type " + type +
                           ", the name of the plugin's file; there are: " + types);
}

Subject::Subject(std::string program, Profile profile, std::vector<std::string> others)
    : program_(std::move(program)),
      profile_(std::move(profile)),
      folders_(std::move(others)),
      versions_(known_versions()) {
  if (!program_.starts_with('/')) {
    throw std::runtime_error("the path of a plugin is absolute, not " + program_);
  }
  folders_.insert(folders_.begin(), std::filesystem::path(program_).parent_path());
}

std::string Subject::type() const { return std::filesystem::path(program_).filename(); }

std::vector<std::string> Subject::needs() const {
  std::vector<std::string> all = folders_;
  std::error_code error;
  const auto file = std::filesystem::canonical(program_, error);
  if (!error) all.push_back(file.parent_path());
  return all;
}

bool Subject::delegates() const {
  return profile_.kind == Kind::interface &&
         (profile_.rewrites || !ipam_type_of(profile_.config).empty());
}

void Subject::ask_versions(std::chrono::milliseconds call_limit) {
  const Isolated answer = isolated([&] { return ask(program_, call_limit); },
                                   call_limit + std::chrono::seconds(10), needs());
  if (answer.signal != 0) {
    silence_ = "VERSION: " + answer.text;
    return;
  }
  if (!answer.finished) throw CannotRun("checks can't be made: " + answer.text, "");
  const std::string text = answer.text.substr(1);
  if (answer.text[0] == kNotExecuted) {
    const int error = std::stoi(text);
    throw CannotRun(program_ + " can't be executed: " + std::strerror(error), advice_for(error));
  }
  if (answer.text[0] == kSilent) {
    silence_ = "VERSION: " + text;
    return;
  }
  const Json told = parse_json(text);
  if (!told.is_object() || !told.contains("supportedVersions")) return;
  std::vector<std::string> supported;
  for (const std::string& version : known_versions()) {
    const Json& list = told["supportedVersions"];
    if (std::find(list.begin(), list.end(), Json(version)) != list.end()) {
      supported.push_back(version);
    }
  }
  told_versions_ = !supported.empty();
  if (told_versions_) versions_ = supported;
}

}  // namespace unicni::conformance
