// What an attachment left on the host, found without its journal and without its module.
#pragma once

#include <vector>

#include "unicni/call.h"
#include "unicni/host.h"
#include "unicni/undo.h"

namespace unicni::chain {

/// DEL of an attachment whose journal was lost, or never was, or whose module is missing: removes
/// what names it as its owner, whatever the configuration says: elements of our nftables sets, host
/// ends of veths and ifbs by their alias. Also the host end that prevResult names, if name, kind
/// and MAC are those of the link. Reads whole sets and all veths, so it is for these rare cases
/// only. Goes on past errors and throws the first.
void remove_leftovers(const Call& call, Host& host);

/// What the reference's masquerade, portmap and firewall made for the attachment, which DEL of the
/// modules would remove. Before the IPAM's DEL: a reservation may be all that tells of an address.
/// Goes on past errors and throws the first.
void remove_reference_leftovers(const Call& call, Host& host, Ipam* ipam);

/// Whether the records are of the attachment that prevResult tells of: they name its host end. A
/// journal may be of an earlier attachment, which another program's DEL ended.
bool are_of_prev_result(const std::vector<Undo>& records, const Call& call);

}  // namespace unicni::chain
