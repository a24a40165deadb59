#include "protocol/cache_entry.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "protocol/base64.h"
#include "protocol/document.h"
#include "protocol/result_narrow.h"
#include "protocol/result_parse.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kKind = "cniCacheV1";
constexpr std::array<std::string_view, 9> kKnownKeys = {"kind",    "containerId",    "config",
                                                        "ifName",  "networkName",    "netns",
                                                        "cniArgs", "capabilityArgs", "result"};
// What says that a document without "kind" is a result, in any version.
constexpr std::array<std::string_view, 5> kResultKeys = {"cniVersion", "ip4", "ip6", "ips",
                                                         "interfaces"};

[[noreturn]] void refuse(std::string_view key, const Json& value, std::string_view expected) {
  throw Error(Code::decode, fmt::format("\"{}\" is {}", key, shown(value)),
              fmt::format("{} is expected", expected));
}

/// nullptr: absent or null.
const Json* find_value(const Json& entry, std::string_view key) {
  const Json* value = find_exact(entry, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string get_text(const Json& entry, std::string_view key) {
  const Json* value = find_value(entry, key);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse(key, *value, "a string");
  return value->get<std::string>();
}

std::string get_name(const Json& entry, std::string_view key) {
  std::string name = get_text(entry, key);
  if (name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
    throw Error(Code::decode, fmt::format("\"{}\" is {}", key, quote(name)),
                "a name is expected, which has no /");
  }
  return name;
}

std::string get_config(const Json& entry) {
  auto config = decode_base64(get_text(entry, "config"));
  if (!config) throw Error(Code::decode, "\"config\" is no base64", "a configuration is expected");
  return *std::move(config);
}

std::vector<std::pair<std::string, std::string>> get_args(const Json& entry) {
  std::vector<std::pair<std::string, std::string>> args;
  const Json* list = find_value(entry, "cniArgs");
  if (list == nullptr) return args;
  constexpr const char* kExpected = "a list of pairs of strings";
  if (!list->is_array()) refuse("cniArgs", *list, kExpected);
  for (const Json& pair : *list) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      refuse("cniArgs", *list, kExpected);
    }
    args.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  return args;
}

/// The last exact one.
const RawMember* find_text(const std::vector<RawMember>& members, std::string_view key) {
  const RawMember* found = nullptr;
  for (const RawMember& member : members) {
    if (member.key == key) found = &member;
  }
  return found;
}

std::string get_object(const Json& entry, const std::vector<RawMember>& members,
                       std::string_view key) {
  const Json* value = find_value(entry, key);
  if (value == nullptr) return {};
  if (!value->is_object()) refuse(key, *value, "an object");
  return std::string(find_text(members, key)->value);
}

bool is_known(std::string_view key) {
  return std::find(kKnownKeys.begin(), kKnownKeys.end(), key) != kKnownKeys.end();
}

CacheEntry read_bare_result(const Json& result, std::string_view text) {
  const bool is_result = std::any_of(kResultKeys.begin(), kResultKeys.end(),
                                     [&](auto key) { return find_field(result, key) != nullptr; });
  if (!is_result) {
    throw Error(Code::decode, "it is neither an entry nor a result",
                fmt::format("\"kind\":\"{}\" is expected, or a result as old versions of libcni "
                            "wrote it",
                            kKind));
  }
  CacheEntry entry;
  entry.result = trimmed(text);
  entry.is_bare_result = true;
  return entry;
}

CacheEntry read_entry(std::string_view text) {
  if (text.empty()) throw Error(Code::decode, "it is empty", "a crash may have left it so");
  const Json json = parse_document(text, "it");
  if (!json.is_object()) {
    throw Error(Code::decode, fmt::format("it is of type {}", kind_of(json)),
                "one JSON object is expected");
  }
  const Json* kind = find_exact(json, "kind");
  if (kind == nullptr) return read_bare_result(json, text);
  if (!kind->is_string() || kind->get_ref<const std::string&>() != kKind) {
    refuse("kind", *kind, fmt::format("\"{}\"", kKind));
  }
  const std::vector<RawMember> members = split_object(text);
  CacheEntry entry;
  entry.key = {get_name(json, "networkName"), get_name(json, "containerId"),
               get_name(json, "ifName")};
  entry.config = get_config(json);
  entry.netns = get_text(json, "netns");
  entry.args = get_args(json);
  entry.capability_args = get_object(json, members, "capabilityArgs");
  entry.result = get_object(json, members, "result");
  for (const RawMember& member : members) {
    if (!is_known(member.key)) entry.extra.emplace_back(member.whole);
  }
  return entry;
}

void require_object(std::string_view text, std::string_view what) {
  const Json json = parse_document(text, what);
  if (json.is_object()) return;
  throw Error(Code::decode, fmt::format("{} is of type {}", what, kind_of(json)),
              "an object is expected");
}

std::string print_args(const std::vector<std::pair<std::string, std::string>>& args) {
  std::string text = "[";
  for (const auto& [key, value] : args) {
    if (text.size() > 1) text += ',';
    text += fmt::format("[{},{}]", quote(key), quote(value));
  }
  return text + ']';
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

/// The version that a result is in which doesn't say so.
SpecVersion unsaid_version(const Json& result, SpecVersion version) {
  const Json* own = find_field(result, "cniVersion");
  if (own != nullptr && own->is_string() && !own->get_ref<const std::string&>().empty()) {
    return version;
  }
  const bool is_old = find_field(result, "ip4") != nullptr || find_field(result, "ip6") != nullptr;
  return is_old ? SpecVersion::v0_1_0 : version;
}

}  // namespace

CacheContent parse_cache_entry(std::string_view text, std::string_view name) {
  try {
    return {read_entry(text), std::nullopt};
  } catch (Error& error) {
    return {std::nullopt, error.in_step(name)};
  }
}

std::string print_cache_entry(const CacheEntry& entry) {
  cache_file_name(entry.key);  // refuses what libcni could not store
  std::string text =
      fmt::format(R"({{"kind":"{}","containerId":{},"config":"{}","ifName":{},"networkName":{})",
                  kKind, quote(entry.key.container_id), encode_base64(entry.config),
                  quote(entry.key.if_name), quote(entry.key.network));
  if (!entry.netns.empty()) text += ",\"netns\":" + quote(entry.netns);
  if (!entry.args.empty()) text += ",\"cniArgs\":" + print_args(entry.args);
  if (!entry.capability_args.empty()) {
    require_object(entry.capability_args, "the capability arguments");
    text += ",\"capabilityArgs\":" + entry.capability_args;
  }
  if (!entry.result.empty()) {
    require_object(entry.result, "the result");
    text += ",\"result\":" + entry.result;
  }
  for (const std::string& member : entry.extra) text += ',' + member;
  text += '}';
  require_object(text, "the entry");  // what is nested too deep nobody could read
  return text;
}

CachedResult cached_result(const CacheEntry& entry, SpecVersion version) {
  try {
    if (entry.result.empty()) return {narrowed({}, version), std::nullopt};
    const Json json = parse_document(entry.result, "the cached result");
    const SpecVersion fallback = unsaid_version(json, version);
    return {narrowed(read_result(json, fallback), version), std::nullopt};
  } catch (const Error& error) {
    return {std::nullopt, error};
  }
}

std::string cache_file_name(const AttachmentKey& key) {
  for (const std::string* part : {&key.network, &key.container_id, &key.if_name}) {
    if (part->empty() || part->find('/') != std::string::npos ||
        part->find('\0') != std::string::npos) {
      throw Error(Code::invalid_config,
                  fmt::format("network {}, container {}, interface {} can't name a file of the "
                              "cache",
                              quote(key.network), quote(key.container_id), quote(key.if_name)),
                  "none may be empty or have a /");
    }
  }
  return fmt::format("{}-{}-{}", key.network, key.container_id, key.if_name);
}

bool same_ascii(std::string_view a, std::string_view b) {
  const auto skip = [](std::string_view& text) {
    const auto* const end = std::find_if(text.begin(), text.end(), is_ascii);
    const bool skipped = end != text.begin();
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    return skipped;
  };
  for (;;) {
    if (skip(a) != skip(b)) return false;
    if (a.empty() || b.empty()) return a.empty() && b.empty();
    if (a.front() != b.front()) return false;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

bool is_entry_of(const CacheEntry& entry, const AttachmentKey& key) {
  const auto is = [](const std::string& written, const std::string& name) {
    return written.empty() || same_ascii(written, name);
  };
  return is(entry.key.network, key.network) && is(entry.key.container_id, key.container_id) &&
         is(entry.key.if_name, key.if_name);
}

}  // namespace unicni::protocol
