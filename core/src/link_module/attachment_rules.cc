#include "unicni/attachment_rules.h"

#include <set>

#include "link_module/announced_rules.h"
#include "unicni/undo/port_flag.h"

namespace unicni {

void add_rules(const Call& call, Host& host, const std::vector<net::NftElement>& own,
               const std::vector<net::NftElement>& shared) {
  announce_rules(host, own, shared);
  add_announced(call, host, own, shared);
}

/// A flag that is on already isn't ours, and DEL leaves it on.
void set_port_flag(Host& host, const net::Link& port, net::PortFlag flag) {
  if (flag == net::PortFlag::isolated ? port.isolated : port.hairpin) return;
  host.undo().announce(undo_port_flag(port, flag));
  net::Batch batch(host.host_links());
  net::set_port_flag(batch, port, flag, true);
  batch.commit();
}

void warn(Host& host, const std::optional<std::string>& of) {
  if (of) host.log(LogLevel::warning, *of);
}

/// By the comments of the elements, so it works where every journal is lost. Comments of long
/// owners are hashes, hence the comparison by printed owners.
void collect_elements(const Call& call, Host& host) {
  const std::string prefix = call.key.network + '/';
  std::vector<net::NftElement> owned;
  std::set<std::string> owners;
  for (const net::NftSet& set : host.nft().sets()) {
    for (net::NftElement& element : host.nft().list(set.name, set.table)) {
      if (!element.owner.starts_with(prefix)) continue;
      owners.insert(element.owner);
      owned.push_back(std::move(element));
    }
  }
  const auto invalid =
      call.valid_attachments->invalid_among(std::move(owners), [&](const Attachment& attachment) {
        return net::nft_owner(prefix + attachment.container_id + '/' + attachment.if_name);
      });
  std::vector<net::NftElement> stale;
  for (net::NftElement& element : owned) {
    if (invalid.contains(element.owner)) stale.push_back(std::move(element));
  }
  if (!stale.empty()) host.nft().remove(stale);
}

}  // namespace unicni
