#include "protocol/result_parse.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "protocol/document.h"
#include "unicni/error.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;
using Object = Json::object_t;
using Keys = std::span<const std::string_view>;

constexpr std::uint32_t kScopeLimit = 255;

// What the older layouts lack is known there too, so that it is dropped and not kept as unknown.
constexpr std::array<std::string_view, 5> kResultKeys = {"cniVersion", "interfaces", "ips",
                                                         "routes", "dns"};
constexpr std::array<std::string_view, 6> kInterfaceKeys = {"name",    "mac",        "mtu",
                                                            "sandbox", "socketPath", "pciID"};
constexpr std::array<std::string_view, 4> kIpKeys = {"version", "address", "gateway", "interface"};
constexpr std::array<std::string_view, 7> kRouteKeys = {"dst",      "gw",    "mtu",  "advmss",
                                                        "priority", "table", "scope"};

// Where a value stands; text is only made for an error.
struct Place {
  const Place* parent = nullptr;
  std::string_view key;
  std::size_t index = 0;

  [[nodiscard]] std::string str() const {
    if (parent == nullptr) return std::string(key);
    if (key.empty()) return fmt::format("{}[{}]", parent->str(), index);
    return fmt::format("{}.{}", parent->str(), key);
  }
};

/// A plugin of another maker wrote the result, so the message says where in it the value stands.
/// Lists and objects are named by their kind: their text could be as long as the document.
[[noreturn]] void refuse(const Place& place, const Json& value, std::string_view expected) {
  throw Error(Code::decode, fmt::format("{} is {}", place.str(), shown(value)),
              fmt::format("{} is expected", expected));
}

std::string get_text(const Json& object, const Place& place, std::string_view key) {
  const Json* value = find_field(object, key);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse({&place, key}, *value, "a string");
  const auto& text = value->get_ref<const std::string&>();
  // It would name something else: what comes before.
  if (text.find('\0') != text.npos) refuse({&place, key}, *value, "a text without NUL bytes");
  return text;
}

/// Go writes unsigned numbers without a sign or a fraction. "1.0" and "-0" are refused, as Go's
/// decoder does.
std::optional<std::uint32_t> find_number(const Json& object, const Place& place,
                                         std::string_view key, std::uint32_t limit) {
  const Json* value = find_field(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > limit) {
    refuse({&place, key}, *value, fmt::format("a number from 0 to {}", limit));
  }
  return value->get<std::uint32_t>();
}

std::uint32_t get_number(const Json& object, const Place& place, std::string_view key) {
  return find_number(object, place, key, std::numeric_limits<std::uint32_t>::max()).value_or(0);
}

/// Go's plugins write an absent address as an empty text.
std::optional<IpAddress> find_address(const Json& object, const Place& place,
                                      std::string_view key) {
  const std::string text = get_text(object, place, key);
  if (text.empty()) return std::nullopt;
  const auto address = IpAddress::parse(text);
  if (!address) refuse({&place, key}, text, "an IP address");
  return address;
}

IpNet get_net(const Json& object, const Place& place, std::string_view key) {
  const std::string text = get_text(object, place, key);
  const auto net = IpNet::parse(text);
  if (!net) {
    const Json* value = find_field(object, key);
    refuse({&place, key}, value == nullptr ? Json() : *value,
           "an address with its prefix length, as in 10.1.2.3/24,");
  }
  return *net;
}

/// A result goes through every plugin of a list. What we don't know, perhaps from a later version
/// of the spec, is handed on and not lost.
std::string unknown_keys(const Json& object, Keys known, bool keep) {
  if (!keep) return {};
  Object unknown;
  for (const auto& [key, value] : object.get_ref<const Object&>()) {
    const auto same = [&key = key](std::string_view other) { return same_letters(key, other); };
    if (std::none_of(known.begin(), known.end(), same)) unknown.emplace_back(key, value);
  }
  return unknown.empty() ? std::string() : Json(std::move(unknown)).dump();
}

// Calls `each` with every element of a list of objects.
template <class Each>
void read_objects(const Json& object, const Place& place, std::string_view key, Each each) {
  const Json* list = find_field(object, key);
  if (list == nullptr) return;
  const Place here{&place, key};
  if (!list->is_array()) refuse(here, *list, "a list");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Place element{&here, {}, i};
    const Json& value = (*list)[i];
    if (!value.is_object()) refuse(element, value, "an object");
    each(value, element);
  }
}

std::vector<std::string> get_texts(const Json& object, const Place& place, std::string_view key) {
  std::vector<std::string> texts;
  const Json* list = find_field(object, key);
  if (list == nullptr) return texts;
  const Place here{&place, key};
  if (!list->is_array()) refuse(here, *list, "a list of strings");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& value = (*list)[i];
    if (!value.is_string()) refuse({&here, {}, i}, value, "a string");
    texts.push_back(value.get_ref<const std::string&>());
  }
  return texts;
}

Dns parse_dns(const Json& result, const Place& place) {
  const Json* dns = find_field(result, "dns");
  if (dns == nullptr) return {};
  const Place here{&place, "dns"};
  if (!dns->is_object()) refuse(here, *dns, "an object");
  return {get_texts(*dns, here, "nameservers"), get_text(*dns, here, "domain"),
          get_texts(*dns, here, "search"), get_texts(*dns, here, "options")};
}

/// MTU, socket path and PCI address are fields of 1.1.0. In results of older versions they mean
/// nothing, whatever they hold.
Interface parse_interface(const Json& json, const Place& place, ResultFamily family, bool keep) {
  Interface interface;
  interface.name = get_text(json, place, "name");
  interface.mac = get_text(json, place, "mac");
  interface.sandbox = get_text(json, place, "sandbox");
  if (family == ResultFamily::plain_ips) {
    interface.mtu = get_number(json, place, "mtu");
    interface.socket_path = get_text(json, place, "socketPath");
    interface.pci_id = get_text(json, place, "pciID");
  }
  interface.extra = unknown_keys(json, kInterfaceKeys, keep);
  return interface;
}

// Absent, null and the -1 of old plugins are the same.
std::optional<int> find_interface_index(const Json& ip, const Place& place) {
  const Json* value = find_field(ip, "interface");
  if (value == nullptr) return std::nullopt;
  if (value->is_number_integer() && !value->is_number_unsigned() &&
      value->get<std::int64_t>() == -1) {
    return std::nullopt;
  }
  constexpr std::uint32_t limit = std::numeric_limits<int>::max();
  const auto index = find_number(ip, place, "interface", limit);
  return static_cast<int>(*index);
}

IpConfig parse_ip(const Json& json, const Place& place, ResultFamily family, bool keep) {
  IpConfig ip;
  ip.address = get_net(json, place, "address");
  ip.gateway = find_address(json, place, "gateway");
  ip.interface = find_interface_index(json, place);
  // The address tells its family; what a plugin of others wrote beside it counts for nothing.
  if (family == ResultFamily::versioned_ips) static_cast<void>(get_text(json, place, "version"));
  ip.extra = unknown_keys(json, kIpKeys, keep);
  return ip;
}

/// The layout of 0.1.0 and 0.2.0 knows destination and next hop only.
Route parse_route(const Json& json, const Place& place, ResultFamily family, bool keep) {
  Route route;
  route.dst = get_net(json, place, "dst");
  route.gw = find_address(json, place, "gw");
  if (family == ResultFamily::ip4_ip6) return route;
  route.mtu = get_number(json, place, "mtu");
  route.advmss = get_number(json, place, "advmss");
  route.priority = get_number(json, place, "priority");
  route.table = find_number(json, place, "table", std::numeric_limits<std::uint32_t>::max());
  route.scope = find_number(json, place, "scope", kScopeLimit);
  route.extra = unknown_keys(json, kRouteKeys, keep);
  return route;
}

/// Results of 0.1.0 and 0.2.0 have one object for each family, "ip4" and "ip6", with the routes
/// inside it.
void parse_family_object(Result& result, const Json& json, const Place& place, std::string_view key,
                         Family family) {
  const Json* object = find_field(json, key);
  if (object == nullptr) return;
  const Place here{&place, key};
  if (!object->is_object()) refuse(here, *object, "an object");
  IpConfig ip;
  ip.address = get_net(*object, here, "ip");
  if (ip.address.family() != family) {
    refuse({&here, "ip"}, ip.address.str(), fmt::format("an address of {}", key));
  }
  ip.gateway = find_address(*object, here, "gateway");
  result.ips.push_back(std::move(ip));
  read_objects(*object, here, "routes", [&](const Json& route, const Place& where) {
    result.routes.push_back(parse_route(route, where, ResultFamily::ip4_ip6, false));
  });
}

/// prevResult may be without a version, as some runtimes send it. It then has the one of the
/// configuration around it.
SpecVersion version_of(const Json& json, SpecVersion fallback) {
  const Json* value = find_field(json, "cniVersion");
  if (value == nullptr || !value->is_string()) return fallback;
  const auto& text = value->get_ref<const std::string&>();
  if (text.empty()) return fallback;
  const auto version = find_version(text);
  if (!version) {
    throw Error(Code::decode,
                fmt::format("cannot convert a result of cniVersion {} to {}", quote(text),
                            version_text(fallback)),
                fmt::format("known are {}", list_versions(", ")));
  }
  return *version;
}

}  // namespace

Result parse_result(std::string_view text, SpecVersion fallback) {
  return read_result(parse_document(text, "the result"), fallback);
}

Result read_result(const Json& json, SpecVersion fallback) {
  if (json.is_null()) return {};
  const Place place{nullptr, "result"};
  if (!json.is_object()) refuse(place, json, "an object");
  const SpecVersion version = version_of(json, fallback);
  const ResultFamily family = result_family(version);
  Result result;
  result.dns = parse_dns(json, place);
  if (family == ResultFamily::ip4_ip6) {
    parse_family_object(result, json, place, "ip4", Family::v4);
    parse_family_object(result, json, place, "ip6", Family::v6);
    return result;
  }
  // A key that we don't know could mean something else in another layout, so it is kept only where
  // result and configuration have the same one.
  const bool keep = family == result_family(fallback);
  read_objects(json, place, "interfaces", [&](const Json& element, const Place& where) {
    result.interfaces.push_back(parse_interface(element, where, family, keep));
  });
  read_objects(json, place, "ips", [&](const Json& element, const Place& where) {
    result.ips.push_back(parse_ip(element, where, family, keep));
  });
  read_objects(json, place, "routes", [&](const Json& element, const Place& where) {
    result.routes.push_back(parse_route(element, where, family, keep));
  });
  result.extra = unknown_keys(json, kResultKeys, keep);
  return result;
}

/// JSON is UTF-8, a name of a link is bytes. A name that isn't UTF-8 was printed with replacement
/// characters, and this finds it again by printing it once more.
void restore_name(Result& result, const std::string& if_name) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::ranges::all_of(if_name, is_ascii)) return;
  const std::string written =
      Json::parse(Json(if_name).dump(-1, ' ', false, Json::error_handler_t::replace));
  for (Interface& each : result.interfaces) {
    if (each.name == written) each.name = if_name;
  }
}

}  // namespace unicni::protocol
