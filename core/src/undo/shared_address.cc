// "shared-address": the gateway's address on a bridge. Other attachments use it, so only a failed
// ADD takes it back, and only from a bridge without ports.
#include "unicni/undo/shared_address.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "undo/shared_objects.h"
#include "unicni/net/addr.h"

namespace unicni {

Undo undo_shared_address(const std::string& link, const IpNet& address) {
  return Undo{"shared-address", 1, true, {{"link", link}, {"address", address.str()}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

Found find(const Undo& record, Undoing& undoing) {
  const IpNet address = get_net(record, "address");
  net::Netlink& links = undoing.host.host_links();
  const FoundLink bridge = look_at_idle_bridge(links, field(record, "link"));
  if (!bridge.link) return bridge.found;
  const auto addresses = net::list_addrs(links, bridge.link->index);
  const bool is_there = std::find(addresses.begin(), addresses.end(), address) != addresses.end();
  return is_there ? Found::ours : Found::absent;
}

void undo_one(const Undo& record, Undoing& undoing) {
  const IpNet address = get_net(record, "address");
  net::Netlink& links = undoing.host.host_links();
  const auto lock = hold_shared_objects(undoing.host);
  const FoundLink bridge = look_at_idle_bridge(links, field(record, "link"));
  if (!bridge.link) return;
  net::Batch batch(links);
  net::remove_addr(batch, *bridge.link, address, true);
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("address {} of bridge {}", field(record, "address"), field(record, "link"));
}

}  // namespace

const UndoKind kSharedAddressKind = {"shared-address", Turn::objects, &find, &each<undo_one>,
                                     &describe};

}  // namespace unicni::undo
