#include "undo/host_ends.h"

#include <algorithm>
#include <string>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/link.h"

namespace unicni::undo {

/// While the host end stands the other end does so, and with it the container's namespace.
bool has_host_end(const std::vector<Undo>& records, net::Netlink& host_links) {
  return std::any_of(records.begin(), records.end(), [&](const Undo& record) {
    if (find_kind(record) != &kVethKind) return false;
    const auto link = net::find_link(host_links, std::string(optional_field(record, "name")));
    return link && link->kind == "veth" && link->alias == optional_field(record, "alias");
  });
}

}  // namespace unicni::undo
