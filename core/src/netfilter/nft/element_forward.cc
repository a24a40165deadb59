// Elements of firewall: their keys byte by byte.
#include "netfilter/nft/element.h"

namespace unicni::net {
namespace {

std::string family_set(const char* stem, const IpAddress& address) {
  return std::string(stem) + (address.is_v4() ? '4' : '6');
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

}  // namespace unicni::net
