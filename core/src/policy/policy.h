// What policy.d says, as the executable holds it: rules in their order, with the places they stand
// at. Made of YAML by the tools (document/policy.h), read by the executable from its compiled form
// (compiled.h), and applied to an ADD by ruling.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unicni::policy {

/// Where something is written. Lines and columns from 1.
struct Place {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
  friend bool operator==(const Place&, const Place&) = default;
  [[nodiscard]] std::string str() const;  ///< "file:line"
};

/// Globs (glob.h), one of which must match. None match nothing.
using Patterns = std::vector<std::string>;

/// All keys that are given must match. Of namespace, pod and labels an absent value matches "" and
/// nothing else.
struct Match {
  std::optional<Patterns> network = {};
  std::optional<Patterns> type = {};  ///< of any member, or its IPAM, by what serves it
  std::optional<Patterns> namespace_ = {};
  std::optional<Patterns> pod = {};
  std::optional<Patterns> if_name = {};
  std::vector<std::pair<std::string, Patterns>> labels = {};
  bool denies_missing = false;  ///< "onMissing: deny": an absent value denies the ADD
  friend bool operator==(const Match&, const Match&) = default;
};

/// What a default or an override gives a key. The same scalar may be text for one module and a
/// number for another.
struct Value {
  std::string key;
  std::string json;  ///< for the types that aren't in by_type
  std::vector<std::pair<std::string, std::string>> by_type = {};  ///< type, JSON
  Place place = {};
  [[nodiscard]] const std::string& json_for(const std::string& type) const;
  friend bool operator==(const Value&, const Value&) = default;
};

/// What values of a key are allowed: all that is given holds.
struct Limit {
  std::string key;
  std::optional<std::int64_t> min = {};
  std::optional<std::int64_t> max = {};
  std::optional<Patterns> allowed = {};
  Place place = {};
  [[nodiscard]] std::string str() const;  ///< "from 30000 to 32767", "one of eth1, eth2"
  friend bool operator==(const Limit&, const Limit&) = default;
};

/// A plugin object that a rule puts into the list.
struct Addition {
  std::string json;
  Place place = {};
  friend bool operator==(const Addition&, const Addition&) = default;
};

struct Rule {
  std::string name;  ///< without one: file:line
  Place place;
  Match match = {};
  std::optional<std::string> deny = {};
  std::vector<Value> defaults = {};
  std::vector<Value> overrides = {};
  std::vector<Limit> limits = {};
  std::vector<Addition> prepended = {};
  std::vector<Addition> appended = {};
  /// How a message about something at `in` begins: "file:line: rule NAME".
  [[nodiscard]] std::string title(const Place& in) const;
  friend bool operator==(const Rule&, const Rule&) = default;
};

/// Which programs of other makers may serve a type.
enum class Exec : unsigned char {
  fallback,  ///< whatever CNI_PATH has, as without policies
  listed,    ///< those of types in `allow`
  never,
};

/// "modules" of one file; those of all files hold.
struct ModuleRules {
  Place place;
  std::optional<Patterns> allow = {};  ///< nullopt: all
  Patterns deny = {};                  ///< beats allow
  Exec exec = Exec::fallback;
  friend bool operator==(const ModuleRules&, const ModuleRules&) = default;
};

struct Policy {
  std::vector<ModuleRules> modules;
  std::vector<Rule> rules;
  [[nodiscard]] bool empty() const { return modules.empty() && rules.empty(); }
  friend bool operator==(const Policy&, const Policy&) = default;
};

}  // namespace unicni::policy
