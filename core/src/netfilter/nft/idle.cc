#include "netfilter/nft/idle.h"

#include <linux/if.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "net/netlink_socket.h"
#include "netfilter/nft/base.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/set.h"

namespace unicni::net {
namespace {

using Keys = std::set<std::pair<std::string_view, std::string_view>>;  // set, key

/// Reads datagrams of the set up to the first that has another one.
bool is_used_by_others(NetlinkSocket& socket, const NftSetRow& set, std::string_view key_prefix,
                       const Keys& going) {
  return has_any_element(
      socket.spare(), set.table, set.name.c_str(), [&](const NftElement& element) {
        return element.key.starts_with(key_prefix) && !going.contains({element.set, element.key});
      });
}

/// The kernel has no reference counts between sets, so what still needs an interface is looked for;
/// the generation of the ruleset, which the caller asked before, keeps an ADD from coming between.
void put_interface_removals(NetlinkSocket& socket, NftBatch& batch, const NftSetRow& kept,
                            const std::vector<NftElement>& going, const Keys& keys) {
  const std::string set = kept.name.c_str();
  std::set<std::string> interfaces;
  for (const NftElement& element : going) {
    const auto row = find_nft_set(element);
    const bool holds = row && row->kind == kept.kept_by;
    if (holds && element.key.size() > IFNAMSIZ) interfaces.insert(element.key.substr(0, IFNAMSIZ));
  }
  for (const std::string& interface : interfaces) {
    if (keys.contains({set, interface})) continue;
    const auto element = read_element(socket, kept.table, set, interface);
    if (!element) continue;
    const bool used = std::ranges::any_of(nft_sets(kept.kept_by), [&](const NftSetRow& holder) {
      return is_used_by_others(socket, holder, interface, keys);
    });
    if (!used) put_old_element(batch.add(NFT_MSG_DELSETELEM, 0, nft_family(kept.table)), *element);
  }
}

}  // namespace

/// Elements about an interface are written by every ADD and belong to nobody alone. They go in the
/// transaction that removes the last element behind the interface.
void put_idle_removals(NetlinkSocket& socket, NftBatch& batch,
                       const std::vector<NftElement>& going) {
  Keys keys;
  for (const NftElement& element : going) keys.insert({element.set, element.key});
  for (const NftSetRow& row : nft_sets()) {
    if (row.kept_by != row.kind) put_interface_removals(socket, batch, row, going, keys);
  }
}

}  // namespace unicni::net
