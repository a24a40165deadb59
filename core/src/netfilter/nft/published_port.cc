// Published ports: their keys and data byte by byte.
#include "unicni/netfilter/published_port.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "net/netlink_socket.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/prefix_part.h"
#include "unicni/sha512.h"

namespace unicni::net {
namespace {

constexpr const char* kLocalnets = "localnet_if";
constexpr const char* kLocalnetUsers = "local4";
constexpr std::string_view kWasSet = " (was set)";
constexpr std::uint32_t kAny = 0;  // what a claim is for
constexpr std::uint32_t kSingle = 1;
constexpr std::size_t kNumber = 8;  // protocol and port, which end the key of a host's port

std::string padded_byte(std::uint8_t byte) { return {static_cast<char>(byte), 0, 0, 0}; }

std::string padded_port(std::uint16_t port) {
  return {static_cast<char>(port >> 8U), static_cast<char>(port & 0xffU), 0, 0};
}

/// Type "mark", in the host's byte order.
std::string mark_data(std::uint32_t mark) {
  std::string bytes(sizeof mark, '\0');
  std::memcpy(bytes.data(), &mark, sizeof mark);
  return bytes;
}

/// "port", "_at" → "port4_at".
std::string set_name(const char* stem, Family family, const char* rest = "") {
  return std::string(stem) + (family == Family::v4 ? '4' : '6') + rest;
}

/// "goto" of verdict map bit4 or bit6: nft_part_marks.cc.
std::string bit_chain(unsigned bit) { return "bit_" + std::to_string(bit); }

}  // namespace

PortElements port_elements(const PublishedPort& port, const std::string& owner,
                           const std::string& network) {
  const std::string comment = nft_owner(owner);
  const IpAddress& container = port.container;
  const Family family = container.family();
  const std::string number = padded_byte(port.protocol) + padded_port(port.host_port);
  const std::string target = address_key(container) + padded_port(port.container_port);
  const std::string endpoint =
      address_key(container) + padded_byte(port.protocol) + padded_port(port.container_port);
  PortElements elements;
  const auto own = [&](const std::string& set, const std::string& key, const std::string& data) {
    elements.own.push_back({set, key, {}, comment, NftTable::inet, data});
  };
  const char* place = port.host_ip ? "_at" : "_any";
  const std::string key = port.host_ip ? address_key(*port.host_ip) + number : number;
  if (port.condition.empty()) {
    own(set_name("port", family, place), key, target);
  } else {
    own(set_name("cond", family, place), key, port.condition);
    own(set_name("cport", family, place), key, target);
  }
  if (port.host_ip) {
    elements.shared.push_back({set_name("claim", family),
                               number,
                               {},
                               nft_owner(network),
                               NftTable::inet,
                               mark_data(kSingle)});
  } else {
    own(set_name("claim", family), number, mark_data(kAny));
  }
  const auto own_with_hairpin = [&](const char* stem, const std::string& data) {
    own(set_name(stem, family), endpoint, data);
    if (!port.prefix) return;
    elements.own.push_back(hairpin_element(elements.own.back(), IpNet(container, *port.prefix)));
  };
  if (port.snat && !port.masq_all) {
    own_with_hairpin("pub", {});
  } else {
    own(set_name("pub", family), endpoint, {});
  }
  if (port.masq_all) {
    own(set_name("masqall", family), endpoint, {});
  } else if (!port.snat) {
    own(set_name("nosnat", family), endpoint, {});
  }
  if (port.mark_bit && (port.snat || port.masq_all)) {
    own_with_hairpin("bit", bit_chain(*port.mark_bit));
  }
  return elements;
}

NftElement hairpin_element(const NftElement& about_endpoint, const IpNet& container) {
  const NftPrefixPart part{
      is_nft_goto(about_endpoint) ? NftPrefixPart::Use::hairpin_bit : NftPrefixPart::Use::hairpin,
      container.family(), container.prefix_length()};
  NftElement element = about_endpoint;
  element.set = nft_prefix_set(part);
  element.key += address_key(container.network());
  return element;
}

bool is_claim(const NftElement& element) { return element.set.starts_with("claim"); }

bool claims_single_addresses(const NftElement& element) {
  return is_claim(element) && element.data == mark_data(kSingle);
}

bool is_about_host_port(const NftElement& element) {
  constexpr std::string_view kStems[] = {"port4", "port6", "cond", "cport", "claim"};
  return std::ranges::any_of(kStems,
                             [&](std::string_view stem) { return element.set.starts_with(stem); });
}

PortPlace place_of(const PublishedPort& port) {
  return {port.container.family(), padded_byte(port.protocol) + padded_port(port.host_port),
          port.host_ip ? address_key(*port.host_ip) : std::string()};
}

std::optional<PortPlace> find_place(const NftElement& element) {
  if (!is_about_host_port(element) || element.key.size() < kNumber) return std::nullopt;
  if (claims_single_addresses(element)) return std::nullopt;
  const std::size_t address = element.key.size() - kNumber;
  return PortPlace{family_of(element), element.key.substr(address), element.key.substr(0, address)};
}

bool overlap(const PortPlace& one, const PortPlace& other) {
  return one.family == other.family && one.number == other.number &&
         (one.address.empty() || other.address.empty() || one.address == other.address);
}

std::vector<NftElement> find_port_holders(Nft& nft, const PortPlace& place) {
  const auto claim = nft.find(set_name("claim", place.family), place.number);
  if (!claim) return {};
  if (!claims_single_addresses(*claim)) return {*claim};
  if (place.address.empty()) return find_single_ports(nft, *claim);
  std::vector<NftElement> found;
  for (const char* stem : {"port", "cond"}) {
    auto element = nft.find(set_name(stem, place.family, "_at"), place.address + place.number);
    if (element) found.push_back(*std::move(element));
  }
  return found;
}

std::vector<NftElement> elements_of_holder(Nft& nft, const NftElement& holder) {
  std::vector<NftElement> found{holder};
  if (is_claim(holder)) {
    for (NftElement& each : find_any_port(nft, holder)) found.push_back(std::move(each));
  } else if (is_nft_condition(holder)) {
    auto behind = nft.find(set_name("cport", family_of(holder), "_at"), holder.key);
    if (behind && behind->owner == holder.owner) found.push_back(*std::move(behind));
  }
  return found;
}

namespace {

/// "network/container" of an owner; of a long one its end behind "<hash>~".
std::string_view without_interface(std::string_view owner) {
  const std::size_t last = owner.rfind('/');
  return last == owner.npos ? std::string_view() : owner.substr(0, last);
}

}  // namespace

std::string find_container(const std::string& owner) {
  const std::string_view head = without_interface(owner);
  const std::size_t slash = head.rfind('/');
  return slash == head.npos ? std::string() : std::string(head.substr(slash + 1));
}

bool is_of_container(const std::string& owner, const std::string& container_id) {
  if (const std::string whole = find_container(owner); !whole.empty()) {
    return whole == container_id;
  }
  // What nft_owner() leaves of a container is more than another one's has in common with it.
  const std::string_view head = without_interface(owner);
  const std::size_t cut = head.find('~');
  return cut != head.npos && container_id.ends_with(head.substr(cut + 1));
}

std::vector<NftElement> find_idle_claims(Nft& nft, const std::vector<NftElement>& elements) {
  std::vector<NftElement> idle;
  for (const NftElement& element : elements) {
    const bool single = element.set.ends_with("_at") && !element.set.starts_with("cport");
    if (!single || !is_about_host_port(element)) continue;
    auto claim = nft.find(set_name("claim", family_of(element)),
                          element.key.substr(element.key.size() - kNumber));
    if (!claim || !claims_single_addresses(*claim)) continue;
    const auto is_in = [&](const auto& list) {
      return std::ranges::find(list, *claim) != list.end();
    };
    if (is_in(idle) || is_in(elements)) continue;
    const auto holders = find_single_ports(nft, *claim);
    const bool all_go = std::ranges::all_of(holders, [&](const NftElement& holder) {
      return std::ranges::find(elements, holder) != elements.end();
    });
    if (all_go) idle.push_back(*std::move(claim));
  }
  return idle;
}

std::vector<NftElement> find_any_port(Nft& nft, const NftElement& claim) {
  std::vector<NftElement> found;
  for (const char* stem : {"port", "cond", "cport"}) {
    auto element = nft.find(set_name(stem, family_of(claim), "_any"), claim.key);
    if (element && element->owner == claim.owner) found.push_back(*std::move(element));
  }
  return found;
}

std::vector<NftElement> find_single_ports(Nft& nft, const NftElement& claim) {
  std::vector<NftElement> found;
  for (const char* stem : {"port", "cond"}) {
    for (NftElement& element : nft.list(set_name(stem, family_of(claim), "_at"))) {
      if (element.key.ends_with(claim.key)) found.push_back(std::move(element));
    }
  }
  return found;
}

Error port_is_taken(const NftElement& holder, const std::string& wanting) {
  return {Code::internal, fmt::format("{} belongs to \"{}\"", describe_key(holder), holder.owner),
          fmt::format("{} wants it; end the other attachment with DEL, or run GC if it is gone "
                      "already",
                      wanting)};
}

NftElement localnet_element(const std::string& interface, const std::string& network, bool by_us) {
  const std::string owner = by_us ? network : network + std::string(kWasSet);
  return {kLocalnets, interface_key(interface), {}, nft_owner(owner), NftTable::inet, {}};
}

std::optional<NftElement> find_localnet(Nft& nft, const std::string& interface) {
  return nft.find(kLocalnets, interface_key(interface));
}

bool is_localnet_by_us(const NftElement& element) { return !element.owner.ends_with(kWasSet); }

std::vector<NftElement> list_localnets(Nft& nft) { return nft.list(kLocalnets); }

std::string interface_of_localnet(const NftElement& element) {
  return element.key.substr(0, element.key.find('\0'));
}

NftElement localnet_user_element(const std::string& interface, const IpAddress& container,
                                 const std::string& owner) {
  return {kLocalnetUsers,
          interface_key(interface) + address_key(container),
          {},
          nft_owner(owner),
          NftTable::inet,
          {}};
}

bool is_localnet_used(Nft& nft, const std::string& interface) {
  return has_any_element(nft.socket().spare(), NftTable::inet, kLocalnetUsers,
                         [key = interface_key(interface)](const NftElement& user) {
                           return user.key.starts_with(key);
                         });
}

bool has_published_ports(Nft& nft, Family family) {
  const auto has = [&](const char* stem, const char* place) {
    return has_any_element(nft.socket().spare(), NftTable::inet, set_name(stem, family, place));
  };
  return has("port", "_any") || has("port", "_at") || has("cond", "_any") || has("cond", "_at");
}

NftCondition port_condition(Family family, const std::string& text, const std::string& owner) {
  constexpr std::size_t kDigits = 24;
  return {
      family,
      "condition_" + sha512_hex(owner).substr(0, kDigits) + (family == Family::v4 ? "_4" : "_6"),
      text, nft_owner(owner)};
}

}  // namespace unicni::net
