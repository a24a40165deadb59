#include "unicni/undo/lost_address.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/container_side.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/addr.h"

namespace unicni {

Undo undo_lost_address(const net::Link& link, const IpNet& address) {
  return Undo{
      "lost-address",
      1,
      false,
      {{"link", link.name}, {"index", std::to_string(link.index)}, {"address", address.str()}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Absent: it is back, or its link has gone.
Found find(const Undo& record, Undoing& undoing) {
  Found found{};
  const auto link = find_container_link(record, undoing, found);
  if (!link) return found;
  const auto addresses = net::list_addrs(undoing.host.container_links(), link->index);
  const bool is_back =
      std::find(addresses.begin(), addresses.end(), get_net(record, "address")) != addresses.end();
  return is_back ? Found::absent : Found::ours;
}

void undo_one(const Undo& record, Undoing& undoing) {
  Found found{};
  const auto link = find_container_link(record, undoing, found);
  if (!link) return;
  net::Batch batch(undoing.host.container_links());
  net::add_addr(batch, link->index, link->name, get_net(record, "address"), net::Dad::skip, true);
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("address {} that {} had in the container", field(record, "address"),
                     field(record, "link"));
}

}  // namespace

const UndoKind kLostAddressKind = {"lost-address", Turn::objects, &find, &each<undo_one>,
                                   &describe};

}  // namespace unicni::undo
