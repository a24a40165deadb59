// "flows": forget the conntrack entries of a published UDP port. Without that a sender that goes on
// sending would be led to the former container for ever, as each packet keeps the entry alive.
#include "unicni/undo/flows.h"

#include <fmt/core.h>

#include "undo/kinds.h"
#include "undo/record_fields.h"

namespace unicni {

Undo undo_flows(const net::Flows& flows) {
  return Undo{"flows",
              1,
              false,
              {{"family", flows.family == Family::v4 ? "4" : "6"},
               {"protocol", std::to_string(flows.protocol)},
               {"host_ip", flows.host_ip ? flows.host_ip->str() : ""},
               {"host_port", std::to_string(flows.host_port)}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

net::Flows flows_of(const Undo& record) {
  return {get_family(record), get_number<std::uint8_t>(record, "protocol"),
          find_address(record, "host_ip"), get_number<std::uint16_t>(record, "host_port")};
}

/// Looking costs more than forgetting what isn't there.
Found find(const Undo& record, Undoing&) {
  flows_of(record);
  return Found::ours;
}

void undo_one(const Undo& record, Undoing& undoing) {
  net::forget_flows(undoing.host.nft(), flows_of(record));
}

std::string describe(const Undo& record) {
  return fmt::format("connections to port {} of the host", field(record, "host_port"));
}

}  // namespace

const UndoKind kFlowsKind = {"flows", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
