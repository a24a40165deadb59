// An attachment's elements in our nftables sets: announced, added, taken over from the dead,
// collected.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/host.h"
#include "unicni/net/bridge.h"
#include "unicni/net/link.h"
#include "unicni/result.h"

namespace unicni {

/// ADD: announces `own` to Host::undo() and adds them; `shared` belong to the network and are
/// remembered for the time when the ruleset has to be made again. A key of an attachment that is
/// provably gone is taken over. Throws Error that names the owner of a key that is taken. Ports of
/// the host are claimed by claim_ports().
void add_rules(const Call& call, Host& host, const std::vector<net::NftElement>& own,
               const std::vector<net::NftElement>& shared);

/// Switches a flag on at a bridge's port, announced to Host::undo(); nothing if it is on.
void set_port_flag(Host& host, const net::Link& port, net::PortFlag flag);

/// Logs what ensure_forward_gate() and its kind couldn't open.
void warn(Host& host, const std::optional<std::string>& of);

/// GC: removes all elements whose owners are attachments of this network that aren't valid.
void collect_elements(const Call& call, Host& host);

}  // namespace unicni
