// Results as JSON, key by key in the order in which the reference prints them: some runtimes and
// tests compare texts. 0.x has the order of Go's structs, 1.x the alphabet.
#include "protocol/result_print.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "protocol/document.h"
#include "protocol/result_narrow.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;
using Object = Json::object_t;

constexpr int kIndent = 4;

// Appends without the look-up of operator[]: the callers below never repeat a key.
void put(Object& object, const char* key, Json&& value) {
  object.emplace_back(key, std::move(value));
}
void put_text(Object& object, const char* key, const std::string& text) {
  if (!text.empty()) put(object, key, text);
}
/// 0 means "not given" to every reader of results, and isn't printed.
void put_number(Object& object, const char* key, std::uint32_t number) {
  if (number != 0) put(object, key, number);
}
void put_address(Object& object, const char* key, const std::optional<IpAddress>& address) {
  if (address) put(object, key, address->str());
}
template <class T>
void put_given(Object& object, const char* key, const std::optional<T>& number) {
  if (number) put(object, key, *number);
}
void put_list(Object& object, const char* key, const std::vector<std::string>& list) {
  if (!list.empty()) put(object, key, list);
}

// The unknown keys: among the others by alphabet, or behind them.
void put_extra(Object& object, const std::string& extra, bool by_alphabet) {
  if (extra.empty()) return;
  Json unknown = Json::parse(extra, nullptr, false);
  if (!unknown.is_object()) return;  // a module's own invention: nothing that a runtime could read
  for (auto& [key, value] : unknown.get_ref<Object&>()) {
    if (object.find(key) == object.end()) object.emplace_back(key, std::move(value));
  }
  if (!by_alphabet) return;
  std::vector<Object::value_type*> order;
  for (auto& member : object) order.push_back(&member);
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->first < b->first; });
  Object sorted;
  for (auto* member : order) sorted.emplace_back(member->first, std::move(member->second));
  object = std::move(sorted);
}

template <class T, class Print>
Json print_list(const std::vector<T>& list, Print print) {
  Json::array_t array;
  array.reserve(list.size());
  for (const T& element : list) array.emplace_back(print(element));
  return array;
}

// 0.x: the reference's order of declaration.
namespace declared {

Object print_dns(const Dns& dns) {
  Object object;
  put_list(object, "nameservers", dns.nameservers);
  put_text(object, "domain", dns.domain);
  put_list(object, "search", dns.search);
  put_list(object, "options", dns.options);
  return object;
}

Object print_interface(const Interface& interface) {
  Object object;
  put(object, "name", interface.name);
  put_text(object, "mac", interface.mac);
  put_text(object, "sandbox", interface.sandbox);
  put_extra(object, interface.extra, false);
  return object;
}

Object print_ip(const IpConfig& ip) {
  Object object;
  put(object, "version", ip.address.is_v4() ? "4" : "6");
  put_given(object, "interface", ip.interface);
  put(object, "address", ip.address.str());
  put_address(object, "gateway", ip.gateway);
  put_extra(object, ip.extra, false);
  return object;
}

Object print_route(const Route& route) {
  Object object;
  put(object, "dst", route.dst.str());
  put_address(object, "gw", route.gw);
  put_number(object, "mtu", route.mtu);
  put_number(object, "advmss", route.advmss);
  put_number(object, "priority", route.priority);
  put_given(object, "table", route.table);
  put_given(object, "scope", route.scope);
  put_extra(object, route.extra, false);
  return object;
}

// `narrow` has been through narrowed(): at most one address a family.
// Routes stand inside the object of their family. One of a family without address has no place in
// this layout.
Object print_ip4_ip6(const Result& narrow) {
  Object object;
  for (const IpConfig& ip : narrow.ips) {
    Object one;
    put(one, "ip", ip.address.str());
    put_address(one, "gateway", ip.gateway);
    Json::array_t routes;
    for (const Route& route : narrow.routes) {
      if (route.dst.family() == ip.address.family()) routes.emplace_back(print_route(route));
    }
    if (!routes.empty()) put(one, "routes", std::move(routes));
    put(object, ip.address.is_v4() ? "ip4" : "ip6", std::move(one));
  }
  put(object, "dns", print_dns(narrow.dns));
  return object;
}

Object print_versioned_ips(const Result& result) {
  Object object;
  if (!result.interfaces.empty()) {
    put(object, "interfaces", print_list(result.interfaces, print_interface));
  }
  if (!result.ips.empty()) put(object, "ips", print_list(result.ips, print_ip));
  if (!result.routes.empty()) put(object, "routes", print_list(result.routes, print_route));
  put(object, "dns", print_dns(result.dns));
  put_extra(object, result.extra, false);
  return object;
}

}  // namespace declared

// 1.x: by alphabet.
namespace sorted {

Object print_dns(const Dns& dns) {
  Object object;
  put_text(object, "domain", dns.domain);
  put_list(object, "nameservers", dns.nameservers);
  put_list(object, "options", dns.options);
  put_list(object, "search", dns.search);
  return object;
}

Object print_interface(const Interface& interface) {
  Object object;
  put_text(object, "mac", interface.mac);
  put_number(object, "mtu", interface.mtu);
  put(object, "name", interface.name);
  put_text(object, "pciID", interface.pci_id);
  put_text(object, "sandbox", interface.sandbox);
  put_text(object, "socketPath", interface.socket_path);
  put_extra(object, interface.extra, true);
  return object;
}

Object print_ip(const IpConfig& ip) {
  Object object;
  put(object, "address", ip.address.str());
  put_address(object, "gateway", ip.gateway);
  put_given(object, "interface", ip.interface);
  put_extra(object, ip.extra, true);
  return object;
}

Object print_route(const Route& route) {
  Object object;
  put_number(object, "advmss", route.advmss);
  put(object, "dst", route.dst.str());
  put_address(object, "gw", route.gw);
  put_number(object, "mtu", route.mtu);
  put_number(object, "priority", route.priority);
  put_given(object, "scope", route.scope);
  put_given(object, "table", route.table);
  put_extra(object, route.extra, true);
  return object;
}

Object print_plain_ips(const Result& result) {
  Object object;
  if (!result.dns.empty()) put(object, "dns", print_dns(result.dns));
  if (!result.interfaces.empty()) {
    put(object, "interfaces", print_list(result.interfaces, print_interface));
  }
  if (!result.ips.empty()) put(object, "ips", print_list(result.ips, print_ip));
  if (!result.routes.empty()) put(object, "routes", print_list(result.routes, print_route));
  return object;
}

}  // namespace sorted

/// cniVersion is the first key in all versions, as the reference prints it.
std::string dump(const Result& result, SpecVersion version, int indent) {
  Object body;
  switch (result_family(version)) {
    case ResultFamily::ip4_ip6:
      body = declared::print_ip4_ip6(narrowed(result, version));
      break;
    case ResultFamily::versioned_ips:
      body = declared::print_versioned_ips(result);
      break;
    case ResultFamily::plain_ips:
      body = sorted::print_plain_ips(result);
      break;
  }
  Object object;
  object.reserve(body.size() + 1);
  put(object, "cniVersion", version_text(version));
  for (auto& [key, value] : body) object.emplace_back(key, std::move(value));
  if (result_family(version) == ResultFamily::plain_ips) put_extra(object, result.extra, true);
  return Json(std::move(object)).dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string print_result(const Result& result, SpecVersion version) {
  return dump(result, version, kIndent);
}

std::string print_compact_result(const Result& result, SpecVersion version) {
  return dump(result, version, -1);
}

}  // namespace unicni::protocol
