// The plugin under test, and what must be known of it to test it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "probe/json.h"

namespace unicni::conformance {

using probe::Json;
using probe::parse_json;

enum class Kind {
  interface,  ///< stands first in a list and works on CNI_IFNAME
  chained,    ///< stands behind another plugin and works on its result
  ipam,       ///< is called by an interface plugin and gives addresses
};

/// What a plugin is, with what to call it, and what it needs. As a file it is a JSON object with
/// these names in camelCase (README.md of tests/conformance has the table). "{n}" in a string of
/// `config` and in `per_attachment` becomes the number of the attachment, from 1; 0 in calls that
/// have none. A text "{n+8000}" of `config` becomes that number itself.
struct Profile {
  Kind kind = Kind::interface;
  Json config;                   ///< network configuration without "cniVersion"
  std::string if_name = "eth0";  ///< "lo" for a plugin that knows no other
  bool creates = true;  ///< it brings CNI_IFNAME into the container; else the link is there before
  bool passes_on = false;  ///< it hands a prevResult on though it may stand first, as loopback does
  bool rewrites = false;   ///< its delegate gets a configuration that the plugin wrote itself
  std::string reservations = {};  ///< folder with a file for each address that is taken
  Json small_pool = nullptr;      ///< configuration with addresses for one attachment
  std::vector<std::vector<std::string>> host = {};            ///< commands that make the host ready
  std::vector<std::vector<std::string>> per_attachment = {};  ///< and those for one attachment
  std::map<std::string, std::string> files = {};              ///< files of the host, by path
  /// Names of links of the host that may change or go, and what begins so: what `per_attachment`
  /// gives away.
  std::string given_away = {};
};

/// Reads a profile. Throws std::runtime_error with the key that is wrong.
Profile profile_from(const Json& json);
/// The profile of a plugin that nobody wrote one for, from a configuration: of the kind that the
/// caller says, else IPAM if ipam.type is the plugin's own name, else an interface plugin.
Profile profile_for(const std::string& type, Json config, std::optional<Kind> kind);

/// profile_for() of a configuration file's text: a single configuration, or a list, of which the
/// member counts that has the plugin as its type, or as its ipam.type; one with that type that
/// isn't the first is a chained plugin. Throws std::runtime_error.
Profile profile_of_text(const std::string& type, const std::string& text, std::optional<Kind> kind);

/// There is nothing to check: the plugin can't be executed, or the machine gives no namespaces.
class CannotRun : public std::runtime_error {
 public:
  CannotRun(const std::string& what, std::string advice)
      : std::runtime_error(what), advice_(std::move(advice)) {}
  [[nodiscard]] const std::string& advice() const { return advice_; }  ///< may be empty

 private:
  std::string advice_;
};

class Subject {
 public:
  /// `program` is the plugin's absolute path; its delegates are looked for in its folder, then in
  /// `others`.
  Subject(std::string program, Profile profile, std::vector<std::string> others = {});

  [[nodiscard]] const std::string& program() const { return program_; }
  [[nodiscard]] std::string type() const;  ///< the program's file name
  /// Where it and its delegates are looked for.
  [[nodiscard]] const std::vector<std::string>& folders() const { return folders_; }
  /// What must be reachable of /run and /var/lib: folders(), and where the plugin's file really is.
  [[nodiscard]] std::vector<std::string> needs() const;
  [[nodiscard]] const Profile& profile() const { return profile_; }
  /// Versions of the spec that the plugin says it supports and the suite knows, oldest first.
  [[nodiscard]] const std::vector<std::string>& versions() const { return versions_; }
  [[nodiscard]] const std::string& newest() const { return versions_.back(); }
  /// Whether it supports a version from that one on.
  [[nodiscard]] bool supports_from(const std::string& version) const { return newest() >= version; }
  /// Asks the plugin for its versions, in namespaces of its own. A plugin that gives no usable
  /// answer is taken to support all: the checks will tell. Throws CannotRun.
  void ask_versions(std::chrono::milliseconds call_limit = std::chrono::seconds(5));
  /// Whether it told versions() itself.
  [[nodiscard]] bool told_versions() const { return told_versions_; }
  /// How ask_versions() ended if the call had no answer (silence_of()), else empty.
  [[nodiscard]] const std::string& silence() const { return silence_; }

  /// Why a good ADD fails, so that a bad one's failure shows nothing; empty: it works, as far as
  /// is known.
  [[nodiscard]] const std::string& failing_add() const { return failing_add_; }
  void set_failing_add(std::string why) { failing_add_ = std::move(why); }

  /// Whether addresses come from another plugin, which the suite can put its own in place of.
  [[nodiscard]] bool delegates() const;

 private:
  std::string program_;
  Profile profile_;
  std::vector<std::string> folders_;
  std::vector<std::string> versions_;
  bool told_versions_ = false;
  std::string silence_;
  std::string failing_add_;
};

/// All versions of the spec, oldest first; their text compares as they do.
inline const std::vector<std::string>& known_versions() {
  static const std::vector<std::string> kAll = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                                "0.4.0", "1.0.0", "1.1.0"};
  return kAll;
}

}  // namespace unicni::conformance
