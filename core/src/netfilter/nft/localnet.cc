#include "unicni/netfilter/localnet.h"

#include <string_view>

#include "net/netlink_socket.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/set.h"

namespace unicni::net {
namespace {

/// Behind the network in the comment: the sysctl was 1 before we came. The kernel has no other
/// place where that outlives the process that knows it.
constexpr std::string_view kWasSet = " (was set)";

const char* interfaces() { return nft_set(NftSetKind::localnet_if).name.c_str(); }
const char* users() { return nft_set(NftSetKind::local).name.c_str(); }

}  // namespace

NftElement localnet_element(const std::string& interface, const std::string& network, bool by_us) {
  const std::string owner = by_us ? network : network + std::string(kWasSet);
  return interface_element(NftSetKind::localnet_if, interface, owner);
}

std::optional<NftElement> find_localnet(Nft& nft, const std::string& interface) {
  return nft.find(interfaces(), interface_key(interface));
}

bool is_localnet_by_us(const NftElement& element) { return !element.owner.ends_with(kWasSet); }

bool is_localnet(const NftElement& element) {
  return element.table == NftTable::inet && element.set == interfaces();
}

std::vector<NftElement> list_localnets(Nft& nft) { return nft.list(interfaces()); }

std::string interface_of_localnet(const NftElement& element) {
  return element.key.substr(0, element.key.find('\0'));
}

NftElement localnet_user_element(const std::string& interface, const IpAddress& container,
                                 const std::string& owner) {
  return interface_element(NftSetKind::local, interface, container, owner);
}

bool is_localnet_used(Nft& nft, const std::string& interface) {
  // Another socket: what is left of the dump stays in it.
  return has_any_element(nft.socket().spare(), NftTable::inet, users(),
                         [key = interface_key(interface)](const NftElement& user) {
                           return user.key.starts_with(key);
                         });
}

}  // namespace unicni::net
