// "reservation": a file of host-local. The content tells whether it is still ours: the address may
// have been released and given to another container since.
#include "unicni/undo/reservation.h"

#include <fmt/core.h>

#include <algorithm>

#include "ipam/reservation.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/ipam/store.h"
#include "unicni/net/addr.h"

namespace unicni {

namespace {
constexpr const char* kRests = "yes";
}  // namespace

Undo undo_reservation(const std::string& data_dir, const std::string& network,
                      const IpAddress& address, const std::string& content, bool rests) {
  return Undo{"reservation",
              1,
              false,
              {{"data_dir", data_dir},
               {"network", network},
               {"address", address.str()},
               {"content", content},
               {"rests", rests ? kRests : ""}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

Found find(const Undo& record, Undoing&) {
  const auto file =
      ipam::read_reservation(field(record, "data_dir") + '/' + field(record, "network") + '/' +
                             get_address(record, "address").str());
  if (file.state == ipam::FileState::absent) return Found::absent;
  // A file without an owner: killed between making and filling it.
  const bool is_ours = file.state == ipam::FileState::nobodys ||
                       (file.state == ipam::FileState::owned &&
                        ipam::print_owner(file.owner) == field(record, "content"));
  return is_ours ? Found::ours : Found::others;
}

/// Somebody in the container gave the link another name, or its address to another link. The
/// module's sweep, which comes next, knows such a link by this reservation.
bool is_in_use(const IpAddress& address, Undoing& undoing) {
  if (undoing.why != Why::removal || undoing.host.container_netns() == nullptr) return false;
  const auto present = net::list_link_addrs(undoing.host.container_links());
  return std::any_of(present.begin(), present.end(),
                     [&](const net::LinkAddr& each) { return each.address.address() == address; });
}

/// An address that was never in use needn't rest.
void undo_one(const Undo& record, Undoing& undoing) {
  if (is_in_use(get_address(record, "address"), undoing)) return;
  ipam::Store store(field(record, "data_dir"), field(record, "network"), undoing.deadline, false);
  store.release_address(get_address(record, "address"), field(record, "content"),
                        undoing.why == Why::removal && field(record, "rests") == kRests);
}

std::string describe(const Undo& record) {
  return fmt::format("reservation of {} in network {}", field(record, "address"),
                     field(record, "network"));
}

}  // namespace

const UndoKind kReservationKind = {"reservation", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
