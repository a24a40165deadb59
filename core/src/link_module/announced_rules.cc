#include "link_module/announced_rules.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "undo/kinds.h"
#include "undo/lease_now.h"
#include "unicni/error.h"
#include "unicni/netfilter/published_port.h"
#include "unicni/undo/nft.h"

namespace unicni {

namespace {

/// Leases of those who hold elements. Each is looked up once, as that reads journals, and thousands
/// of elements about published ports may be one owner's.
class HolderLeases {
 public:
  explicit HolderLeases(Host& host) : host_(host) {}
  /// Whether the holder's DHCP lease hasn't got the address any more that the element is about: its
  /// interface hasn't either, though the attachment lives.
  bool have_given_up(const net::NftElement& holder) {
    const auto [known, is_new] = leases_.try_emplace(holder.owner);
    if (is_new) known->second = find(holder.owner);
    return known->second && known->second->has_given_up(holder);
  }

 private:
  [[nodiscard]] std::optional<undo::LeaseNow> find(const std::string& owner) const {
    for (const auto& each : host_.attachments().list_records(undo::kLeaseKind.type, Steps::all)) {
      if (each.by.comment() == owner) return undo::LeaseNow::find(each.record);
    }
    return std::nullopt;
  }

  Host& host_;
  std::map<std::string, std::optional<undo::LeaseNow>> leases_;
};

/// What of others has the keys of `own` but belongs to nobody any more.
std::vector<net::NftElement> void_elements(const Call& call, Host& host,
                                           const std::vector<net::NftElement>& own) {
  std::vector<net::NftElement> found;
  HolderLeases leases(host);
  for (const net::NftElement& element : own) {
    auto holder = host.nft().find(element.set, element.key, element.table);
    if (!holder || holder->owner == element.owner) continue;
    if (leases.have_given_up(*holder) || is_void(call, host, *holder)) {
      found.push_back(*std::move(holder));
    }
  }
  return found;
}

}  // namespace

// Of the same network: IPAM gave its address to us, so without a host end it was taken down by a
// program that doesn't know our tables. Of others, and where it isn't about an address: neither
// journal nor namespace is left.
bool is_void(const Call& call, Host& host, const net::NftElement& holder) {
  if (host.attachments().has_host_end(holder.owner)) return false;
  if (host.attachments().is_gone(holder.owner)) return true;
  return !net::is_about_host_port(holder) && holder.owner.starts_with(call.key.network + '/');
}

namespace {

/// Two mappings may lead to one port of the container, and a result may have an address twice.
std::vector<net::NftElement> each_once(const std::vector<net::NftElement>& elements) {
  std::vector<net::NftElement> once;
  std::set<std::tuple<net::NftTable, std::string_view, std::string_view, std::string_view>> known;
  for (const net::NftElement& element : elements) {
    const bool first = known.emplace(element.table, element.set, element.key, element.data).second;
    if (first) once.push_back(element);
  }
  return once;
}

}  // namespace

/// All records before the first change, as all elements go in by one transaction.
void announce_rules(Host& host, const std::vector<net::NftElement>& all_own,
                    const std::vector<net::NftElement>& all_shared) {
  const auto own = each_once(all_own);
  const auto shared = each_once(all_shared);
  for (const net::NftElement& element : own) host.undo().announce(undo_nft(element));
  for (const net::NftElement& element : shared) host.undo().announce(remember_nft(element));
}

/// The usual case costs one transaction. Only if the kernel refuses it (a key is taken) the holders
/// are looked at; those that are gone make room, and a living one is the error.
void add_announced(const Call& call, Host& host, const std::vector<net::NftElement>& own,
                   const std::vector<net::NftElement>& shared) {
  try {
    host.nft().add(own, shared);
  } catch (const Error&) {
    const auto stale = void_elements(call, host, own);
    if (stale.empty()) throw;
    host.nft().remove(stale);
    host.nft().add(own, shared);
  }
}

}  // namespace unicni
