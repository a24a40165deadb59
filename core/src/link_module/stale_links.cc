#include "unicni/stale_links.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/owner.h"

namespace unicni {

/// By alias and for one network only: links whose owner isn't in the runtime's list. This finds
/// what no journal has any more.
void remove_stale_links(const Call& call, Host& host, const std::vector<net::Link>& links) {
  std::set<std::string> aliases;
  for (const net::Link& link : links) {
    if (is_owner_alias_of(link.alias, call.key.network)) aliases.insert(link.alias);
  }
  const auto key_of = [&](const Attachment& attachment) {
    return AttachmentKey{call.key.network, attachment.container_id, attachment.if_name};
  };
  const ValidAttachments& valid = *call.valid_attachments;
  const auto is_cut = [](const std::string& alias) { return alias.size() == kLongestAlias; };
  auto stale = valid.invalid_among(std::move(aliases),
                                   [&](const Attachment& each) { return key_of(each).alias(); });
  if (std::any_of(stale.begin(), stale.end(), is_cut)) {
    stale = valid.invalid_among(std::move(stale), [&](const Attachment& each) {
      return key_of(each).owner().substr(0, kLongestAlias);
    });
  }
  for (const net::Link& link : links) {
    if (stale.contains(link.alias)) {
      net::remove_link(host.host_links(), link.index);
    }
  }
}

}  // namespace unicni
