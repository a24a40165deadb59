// A module's options with every kind of row, for the tests of this folder.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "options/parse.h"
#include "protocol/document.h"
#include "unicni/error.h"
#include "unicni/options.h"

namespace unicni::options::demo {

struct Range {
  IpNet subnet;
  std::optional<IpAddress> gateway;
  std::int64_t weight = 7;
};

struct Demo {
  bool flag = false;
  std::int64_t count = 0;
  std::uint32_t mtu = 0;
  std::string color;
  std::string name = "as constructed";
  std::optional<IpAddress> gateway;
  std::optional<std::int64_t> maybe;
  std::optional<Mac> mac;
  std::vector<std::string> words;
  std::vector<std::vector<Range>> ranges;
  std::vector<Route> routes;
  std::optional<Dns> dns;
  bool trunk = false;
  std::string backend;
  std::int64_t add_only = 0;
  std::vector<IpNet> runtime_ips;
  std::optional<Mac> args_mac;
};

struct Spoken {
  std::vector<IpNet> ips;
  bool loud = false;
  std::int64_t level = 0;
  std::optional<IpAddress> gateway;
};

struct Free {
  TextMap settings;
  std::optional<TextMap> maybe;
  std::int64_t count = 0;
  std::optional<JsonObject> anything;
};

struct Strict {
  std::string key;
  std::string needed;
};

extern const OptionTable kRangeFields;
extern const OptionTable kDemoTable;    ///< no CNI_ARGS
extern const OptionTable kSpokenTable;  ///< CNI_ARGS only
extern const OptionTable kFreeTable;    ///< objects with free keys
extern const OptionTable kStrictTable;  ///< exact letter case, a required key

/// A parse with everything that came out of it.
template <class T>
struct Outcome {
  Parsed parsed;
  std::vector<std::string> warnings;
  const T* operator->() const { return static_cast<const T*>(parsed.data()); }
};

template <class T>
Outcome<T> parse_as(const OptionTable& table, const std::string& json,
                    Command command = Command::add, bool ipam = false,
                    const std::string& args = "") {
  Outcome<T> outcome;
  const auto netconf = protocol::parse_document(json, "a test's text");
  outcome.parsed = parse(table, Input{netconf, ipam, args, command}, outcome.warnings);
  return outcome;
}

inline Outcome<Demo> parse_demo(const std::string& json, Command command = Command::add,
                                bool ipam = false) {
  return parse_as<Demo>(kDemoTable, json, command, ipam);
}

inline Outcome<Spoken> parse_args(const std::string& args, Command command = Command::add) {
  return parse_as<Spoken>(kSpokenTable, "{}", command, false, args);
}

/// "code: msg" of what `run` throws, or "nothing".
template <class Run>
std::string thrown(const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    return std::to_string(error.code()) + ": " + error.msg();
  }
  return "nothing";
}

inline std::string refusal(const std::string& json, bool ipam = false) {
  return thrown([&] { parse_demo(json, Command::add, ipam); });
}

}  // namespace unicni::options::demo

namespace unicni {
template <>
struct OptionFields<options::demo::Range> {
  static constexpr const OptionTable* table() { return &options::demo::kRangeFields; }
};
}  // namespace unicni
