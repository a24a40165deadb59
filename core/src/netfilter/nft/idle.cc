#include "netfilter/nft/idle.h"

#include <linux/if.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "net/netlink_socket.h"
#include "netfilter/nft/base.h"
#include "netfilter/nft/element.h"

namespace unicni::net {
namespace {

/// "net_if" and its kind hold an interface as long as sets with "interface . address" do.
struct InterfaceSet {
  const char* interfaces;
  std::array<std::string_view, 2> holders;  ///< IPv4, IPv6
};
constexpr InterfaceSet kInterfaceSets[] = {{"net_if", {"att4", "att6"}},
                                           {"policy_if", {"policy4", "policy6"}}};

using Keys = std::set<std::pair<std::string_view, std::string_view>>;  // set, key

/// Reads datagrams of the set up to the first that has another one.
bool is_used_by_others(NetlinkSocket& socket, const std::string& set, std::string_view key_prefix,
                       const Keys& going) {
  return has_any_element(socket.spare(), NftTable::inet, set, [&](const NftElement& element) {
    return element.key.starts_with(key_prefix) && !going.contains({element.set, element.key});
  });
}

void put_interface_removals(NetlinkSocket& socket, NftBatch& batch, const InterfaceSet& about,
                            const std::vector<NftElement>& going, const Keys& keys) {
  std::set<std::string> interfaces;
  for (const NftElement& element : going) {
    const bool holds = std::ranges::find(about.holders, element.set) != about.holders.end();
    if (holds && element.key.size() > IFNAMSIZ) interfaces.insert(element.key.substr(0, IFNAMSIZ));
  }
  for (const std::string& interface : interfaces) {
    if (keys.contains({about.interfaces, interface})) continue;
    const auto element = read_element(socket, NftTable::inet, about.interfaces, interface);
    if (!element) continue;
    const bool used = std::ranges::any_of(about.holders, [&](std::string_view holder) {
      return is_used_by_others(socket, std::string(holder), interface, keys);
    });
    if (!used) {
      put_old_element(batch.add(NFT_MSG_DELSETELEM, 0, nft_family(NftTable::inet)), *element);
    }
  }
}

}  // namespace

void put_idle_removals(NetlinkSocket& socket, NftBatch& batch,
                       const std::vector<NftElement>& going) {
  Keys keys;
  for (const NftElement& element : going) keys.insert({element.set, element.key});
  for (const InterfaceSet& about : kInterfaceSets) {
    put_interface_removals(socket, batch, about, going, keys);
  }
}

}  // namespace unicni::net
