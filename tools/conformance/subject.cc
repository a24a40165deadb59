#include "conformance/subject.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "conformance/private_host.h"
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

Profile profile_for(const std::string& type, Json config, bool chained) {
  Profile profile;
  const Json ipam = config.value("ipam", Json::object());
  if (chained) {
    profile.kind = Kind::chained;
  } else if (ipam.is_object() && ipam.value("type", "") == type) {
    profile.kind = Kind::ipam;
  }
  if (type == "loopback") profile.if_name = "lo";
  profile.creates = profile.kind == Kind::interface && profile.if_name != "lo";
  profile.reservations = reservations_of(config);
  profile.config = std::move(config);
  profile.config.erase("cniVersion");
  profile.config.erase("prevResult");
  return profile;
}

Profile profile_of_text(const std::string& type, const std::string& text, bool chained) {
  const Json file = parse_json(text);
  if (!file.is_object()) throw std::runtime_error("a configuration is one JSON object");
  if (!file.contains("plugins") || type == "unicni") return profile_for(type, file, chained);
  bool first = true;
  for (Json member : file["plugins"]) {
    if (member.is_object() && member.value("type", "") == type) {
      member["name"] = file.value("name", "");
      return profile_for(type, member, chained || !first);
    }
    first = false;
  }
  throw std::runtime_error("no plugin of the list has the type " + type);
}

Subject::Subject(std::string program, Profile profile)
    : program_(std::move(program)), profile_(std::move(profile)), versions_(known_versions()) {
  if (!program_.starts_with('/')) {
    throw std::runtime_error("the path of a plugin is absolute, not " + program_);
  }
}

std::string Subject::type() const { return std::filesystem::path(program_).filename(); }

std::string Subject::folder() const { return std::filesystem::path(program_).parent_path(); }

bool Subject::delegates() const {
  if (profile_.kind != Kind::interface) return false;
  const Json ipam = profile_.config.value("ipam", Json::object());
  return profile_.rewrites || (ipam.is_object() && ipam.contains("type"));
}

void Subject::ask_versions() {
  const Isolated answer = isolated(
      [&] {
        return probe::run({.argv = {program_},
                           .env = {"CNI_COMMAND=VERSION"},
                           .in = "{}",
                           .limit = probe::kUsualLimit})
            .out;
      },
      std::chrono::seconds(10), {folder()});
  if (!answer.finished && answer.text.starts_with("unshare")) throw std::runtime_error(answer.text);
  const Json told = parse_json(answer.text);
  if (!told.is_object() || !told.contains("supportedVersions")) return;
  std::vector<std::string> supported;
  for (const std::string& version : known_versions()) {
    const Json& list = told["supportedVersions"];
    if (std::find(list.begin(), list.end(), Json(version)) != list.end()) {
      supported.push_back(version);
    }
  }
  if (!supported.empty()) versions_ = supported;
}

}  // namespace unicni::conformance
