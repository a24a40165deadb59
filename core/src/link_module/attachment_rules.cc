#include "unicni/attachment_rules.h"

#include <algorithm>
#include <set>

#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni {

namespace {

bool has_host_end(Host& host, const std::string& owner) {
  const auto links = net::list_links(host.host_links(), "veth");
  return std::any_of(links.begin(), links.end(),
                     [&](const net::Link& link) { return link.alias == owner; });
}

/// Of the same network: IPAM gave its address to us, so without a host end it was taken down by a
/// program that doesn't know our tables. Of others: neither journal nor namespace is left.
bool is_void(const Call& call, Host& host, const std::string& owner) {
  if (has_host_end(host, owner)) return false;
  return owner.starts_with(call.network + '/') || host.is_gone(owner);
}

std::vector<net::NftElement> void_elements(const Call& call, Host& host,
                                           const std::vector<net::NftElement>& wanted) {
  std::vector<net::NftElement> found;
  for (const net::NftElement& element : wanted) {
    auto holder = host.nft().find(element.set, element.key, element.table);
    if (!holder || holder->owner == element.owner) continue;
    if (is_void(call, host, holder->owner)) found.push_back(*std::move(holder));
  }
  return found;
}

}  // namespace

void add_rules(const Call& call, Host& host, const std::vector<net::NftElement>& own,
               const std::vector<net::NftElement>& shared) {
  for (const net::NftElement& element : own) host.undo().will(undo_nft(element));
  for (const net::NftElement& element : shared) host.undo().will(remember_nft(element));
  try {
    host.nft().add(own, shared);
  } catch (const Error&) {
    const auto stale = void_elements(call, host, own);
    if (stale.empty()) throw;
    host.nft().remove(stale);
    host.nft().add(own, shared);
  }
}

void collect_elements(const Call& call, Host& host) {
  const std::string prefix = call.network + '/';
  std::set<std::string> valid;
  for (const Attachment& attachment : *call.valid_attachments) {
    valid.insert(net::nft_owner(prefix + attachment.container_id + '/' + attachment.if_name));
  }
  std::vector<net::NftElement> stale;
  for (const net::NftSet& set : net::attachment_sets()) {
    for (net::NftElement& element : host.nft().list(set.name, set.table)) {
      if (element.owner.starts_with(prefix) && !valid.contains(element.owner)) {
        stale.push_back(std::move(element));
      }
    }
  }
  if (!stale.empty()) host.nft().remove(stale);
}

}  // namespace unicni
