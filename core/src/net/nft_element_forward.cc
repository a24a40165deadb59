// Elements of firewall and portmap: their keys and data byte by byte.
#include <endian.h>

#include <cstring>

#include "net/nft_element.h"

namespace unicni::net {
namespace {

std::string family_set(const char* stem, const IpAddress& address) {
  return std::string(stem) + (address.is_v4() ? '4' : '6');
}

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

NftElement interface_element(const char* set, const std::string& interface,
                             const std::string& network) {
  return {set, interface_key(interface), {}, nft_owner(network), NftTable::inet, {}};
}

NftElement on_interface(const char* stem, const std::string& interface, const IpAddress& address,
                        const std::string& owner) {
  return {family_set(stem, address),
          interface_key(interface) + address_key(address),
          {},
          nft_owner(owner),
          NftTable::inet,
          {}};
}

}  // namespace

NftElement forward_element(const std::string& interface, const IpAddress& address,
                           const std::string& owner) {
  return on_interface("att", interface, address, owner);
}

NftElement forward_interface_element(const std::string& interface, const std::string& network) {
  return interface_element("net_if", interface, network);
}

std::vector<NftElement> ingress_elements(IngressPolicy policy, const std::string& bridge,
                                         const IpAddress& address, const std::string& owner) {
  std::vector<NftElement> elements = {on_interface("policy", bridge, address, owner)};
  if (policy == IngressPolicy::isolated) {
    elements.push_back(on_interface("isolated", bridge, address, owner));
  }
  return elements;
}

NftElement policy_interface_element(const std::string& bridge, const std::string& network) {
  return interface_element("policy_if", bridge, network);
}

NftElement localnet_element(const std::string& interface, const std::string& network) {
  return interface_element("localnet_if", interface, network);
}

PortElements port_elements(const PublishedPort& port, const std::string& owner,
                           const std::string& network) {
  constexpr std::uint32_t kAny = 0;
  constexpr std::uint32_t kSingle = 1;
  const std::string comment = nft_owner(owner);
  const IpAddress& container = port.container;
  const std::string number = padded_byte(port.protocol) + padded_port(port.host_port);
  const std::string target = address_key(container) + padded_port(port.container_port);
  const std::string endpoint =
      address_key(container) + padded_byte(port.protocol) + padded_port(port.container_port);
  const auto own = [&](const std::string& set, const std::string& key, const std::string& data) {
    return NftElement{set, key, {}, comment, NftTable::inet, data};
  };
  const std::string stem = container.is_v4() ? "port4" : "port6";
  const std::string claim = family_set("claim", container);
  PortElements elements;
  if (port.host_ip) {
    elements.own.push_back(own(stem + "_at", address_key(*port.host_ip) + number, target));
    elements.shared.push_back(
        {claim, number, {}, nft_owner(network), NftTable::inet, mark_data(kSingle)});
  } else {
    elements.own.push_back(own(stem + "_any", number, target));
    elements.own.push_back(own(claim, number, mark_data(kAny)));
  }
  elements.own.push_back(own(family_set("pub", container), endpoint, {}));
  if (port.masq_all) {
    elements.own.push_back(own(family_set("masqall", container), endpoint, {}));
  } else if (!port.snat) {
    elements.own.push_back(own(family_set("nosnat", container), endpoint, {}));
  }
  return elements;
}

}  // namespace unicni::net
