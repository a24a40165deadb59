#include "module/returned_result.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "protocol/document.h"
#include "unicni/error.h"
#include "unicni/json_object.h"

namespace unicni::module {
namespace {

constexpr std::size_t kLongestHardwareAddress = 32;  // bytes; MAX_ADDR_LEN of the kernel
constexpr std::uint32_t kScopeLimit = 255;
constexpr std::string_view kText = "text in UTF-8 without NUL bytes";

/// "0a:58:0a:01:02:03"; Infiniband's have 20 bytes, tunnels' 4 or 16.
bool is_hardware_address(std::string_view text) {
  const auto is_digit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  if (text.size() % 3 != 2 || text.size() / 3 + 1 > kLongestHardwareAddress) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !is_digit(text[i])) return false;
  }
  return true;
}

bool is_text(std::string_view text) { return text.find('\0') == text.npos && is_utf8(text); }

/// Where a value stands; its text is only made for an error.
struct Place {
  const char* list;  ///< "": in the result itself
  std::size_t index;
  const char* key;  ///< "": the element is the value
  [[nodiscard]] std::string str() const {
    if (*list == '\0') return fmt::format("result.{}", key);
    return fmt::format("result.{}[{}]{}{}", list, index, *key == '\0' ? "" : ".", key);
  }
};

[[noreturn]] void refuse(const Place& place, std::string_view value, std::string_view expected) {
  throw Error(Code::internal, fmt::format("{} is {}", place.str(), value),
              fmt::format("{} is expected; this is a bug in the module", expected));
}

class Look {
 public:
  explicit Look(const Call& call)
      : netns_(call.netns), before_(call.prev_result ? &*call.prev_result : nullptr) {}

  void at(const Result& result) const {
    for (std::size_t i = 0; i < result.interfaces.size(); ++i) at_interface(result, i);
    for (std::size_t i = 0; i < result.ips.size(); ++i) at_ip(result, i);
    for (std::size_t i = 0; i < result.routes.size(); ++i) at_route(result, i);
    at_dns(result.dns);
    if (result.extra.empty()) return;
    at_extra({"", 0, "extra"}, result.extra, before_ != nullptr && before_->extra == result.extra);
  }

 private:
  /// Whether an entry that the module was given has this value in this field.
  template <class Entry, class Value>
  [[nodiscard]] bool given(std::vector<Entry> Result::*list, Value Entry::*field,
                           const Value& value) const {
    return before_ != nullptr && std::ranges::any_of(before_->*list, [&](const Entry& entry) {
             return entry.*field == value;
           });
  }

  void at_interface(const Result& result, std::size_t i) const {
    const Interface& each = result.interfaces[i];
    const auto check = [&](const char* key, std::string Interface::*field, bool is_fine,
                           std::string_view expected) {
      if (is_fine || given(&Result::interfaces, field, each.*field)) return;
      refuse({"interfaces", i, key}, protocol::quote(each.*field), expected);
    };
    // A link's name may be any bytes, which are printed with replacement characters.
    check("name", &Interface::name, !each.name.empty() && each.name.find('\0') == std::string::npos,
          "a link's name");
    check("mac", &Interface::mac, each.mac.empty() || is_hardware_address(each.mac),
          "a hardware address as in 0a:58:0a:01:02:03, or nothing,");
    check("sandbox", &Interface::sandbox, each.sandbox == netns_ || is_text(each.sandbox), kText);
    check("socketPath", &Interface::socket_path, is_text(each.socket_path), kText);
    check("pciID", &Interface::pci_id, is_text(each.pci_id), kText);
    at_extra("interfaces", &Result::interfaces, i, each.extra);
  }

  void at_ip(const Result& result, std::size_t i) const {
    const IpConfig& each = result.ips[i];
    const std::size_t count = result.interfaces.size();
    const bool is_in = !each.interface ||
                       (*each.interface >= 0 && static_cast<std::size_t>(*each.interface) < count);
    if (!is_in && !given(&Result::ips, &IpConfig::interface, each.interface)) {
      refuse({"ips", i, "interface"}, std::to_string(*each.interface),
             count == 0 ? "nothing, as the result has no interfaces,"
                        : fmt::format("a place in interfaces, 0 to {},", count - 1));
    }
    if (each.address.address().is_unspecified() &&
        !given(&Result::ips, &IpConfig::address, each.address)) {
      refuse({"ips", i, "address"}, each.address.str(), "the address of a container");
    }
    if (each.gateway && each.gateway->family() != each.address.family() &&
        !given(&Result::ips, &IpConfig::gateway, each.gateway)) {
      refuse({"ips", i, "gateway"}, each.gateway->str(),
             fmt::format("an address of the family of {}", each.address.str()));
    }
    at_extra("ips", &Result::ips, i, each.extra);
  }

  void at_route(const Result& result, std::size_t i) const {
    const Route& each = result.routes[i];
    if (each.gw && each.gw->family() != each.dst.family() &&
        !given(&Result::routes, &Route::gw, each.gw)) {
      refuse({"routes", i, "gw"}, each.gw->str(),
             fmt::format("an address of the family of {}", each.dst.str()));
    }
    if (each.scope && *each.scope > kScopeLimit &&
        !given(&Result::routes, &Route::scope, each.scope)) {
      refuse({"routes", i, "scope"}, std::to_string(*each.scope),
             fmt::format("a number from 0 to {}", kScopeLimit));
    }
    at_extra("routes", &Result::routes, i, each.extra);
  }

  void at_dns(const Dns& dns) const {
    if (before_ != nullptr && before_->dns == dns) return;
    const auto check = [](const Place& place, const std::string& text) {
      if (!is_text(text)) refuse(place, protocol::quote(text), kText);
    };
    const auto check_all = [&](const char* list, const std::vector<std::string>& texts) {
      for (std::size_t i = 0; i < texts.size(); ++i) check({list, i, ""}, texts[i]);
    };
    check_all("dns.nameservers", dns.nameservers);
    check({"", 0, "dns.domain"}, dns.domain);
    check_all("dns.search", dns.search);
    check_all("dns.options", dns.options);
  }

  /// `given`: whether the module had it from before.
  static void at_extra(const Place& place, const std::string& text, bool given) {
    if (given || JsonObject::parse(text)) return;
    refuse(place, protocol::quote(text), "the text of a JSON object, or nothing,");
  }
  template <class Entry>
  void at_extra(const char* list, std::vector<Entry> Result::*entries, std::size_t i,
                const std::string& text) const {
    if (text.empty()) return;
    at_extra({list, i, "extra"}, text, given(entries, &Entry::extra, text));
  }

  const std::string& netns_;
  const Result* before_;
};

}  // namespace

void require_sound(const Result& result, const Call& call) { Look(call).at(result); }

}  // namespace unicni::module
