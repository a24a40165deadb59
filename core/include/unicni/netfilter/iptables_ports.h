// portmap's "backend": "iptables": the reference's own chains and rules of table nat, through
// iptables-restore(8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

struct IptablesPort {
  std::string protocol;  ///< "tcp", "udp" or "sctp"
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
  /// The only address of the host that it is published on. nullopt: any of both families; an
  /// unspecified one (0.0.0.0, ::): any of its family.
  std::optional<IpAddress> host_ip;
};

struct IptablesPorts {
  AttachmentKey key;
  std::vector<IptablesPort> ports;
  std::optional<IpNet> address4;  ///< of the container, with its subnet
  std::optional<IpNet> address6;
  bool snat = true;
  bool masq_all = false;
  unsigned mark_bit = 13;      ///< 0 to 31
  std::string set_mark_chain;  ///< "externalSetMarkChain"; empty: CNI-HOSTPORT-SETMARK
  /// Words of iptables-extensions(8) that are put into the rules as they are.
  std::vector<std::string> conditions4;
  std::vector<std::string> conditions6;
  /// The chain is named after the interface as well. The reference's name is that of network and
  /// container, whatever the interface; another attachment of the container has that one.
  bool own_chain = false;
};

/// Whose chain it is, as its name and the journal have it: "<container>", or
/// "<container>/<ifname>".
inline std::string iptables_chain_owner(const IptablesPorts& ports) {
  return ports.own_chain ? ports.key.container_id + '/' + ports.key.if_name
                         : ports.key.container_id;
}

/// A chain that has an attachment's ports, and whose it is by the comments of the rules that lead
/// there. Network and container are empty if the comment was cut, or is none of portmap's.
struct IptablesChainHolder {
  std::string network;
  std::string container_id;
  std::string chain;
};
/// Whether a chain's claims are void, as who made it is provably gone.
using IsVoid = std::function<bool(const IptablesChainHolder&)>;

/// In each family that has an address: the chain CNI-DN-<21 hex digits> (anew, if it exists) with
/// the rules of each port, rules of CNI-HOSTPORT-DNAT that lead there, and what attachments share:
/// CNI-HOSTPORT-DNAT, -SETMARK, -MASQ and the jumps to them from PREROUTING, OUTPUT and
/// POSTROUTING. Names, comments and order are the reference's. One `iptables-restore --noflush` a
/// family, and one `iptables-save -t nat` before it unless all these chains are missing. A port
/// that another container has is refused, naming it. What `is_void`, of another container or of an
/// earlier life of this one, is taken over with all its rules; behind an attachment of the same
/// container that lives ours wait. Hold Attachments::hold_shared_links() meanwhile.
/// Announce undo_iptables_ports() (undo.h) before. Works in the calling thread's namespace, which
/// must be the one of `nft`. Throws Error.
void add_iptables_ports(Nft& nft, const IptablesPorts& what, const IsVoid& is_void,
                        Deadline deadline);

/// For those who publish otherwise: a port of `what` that another container has by such rules is
/// refused, naming it; a chain that `is_void` and has one is removed, whosever it was. Hold
/// Attachments::hold_shared_links() meanwhile. No program unless a rule of
/// CNI-HOSTPORT-DNAT has one of the ports; where there is no such chain it is one round trip and a
/// look at two files of /proc.
void require_no_iptables_ports(Nft& nft, const IptablesPorts& what, const IsVoid& is_void,
                               Deadline deadline);

/// Whose the chain of the reference's name is, if it is another network's: the name is a hash of
/// network and container with nothing in between, so network "ab" with container "c" has that of
/// "a" with "bc". No program where there is no such chain.
std::optional<IptablesChainHolder> find_other_chain_holder(Nft& nft, const std::string& network,
                                                           const std::string& container_id,
                                                           Deadline deadline);

/// CHECK: what is missing, or what that `is_void` comes before it at a port, as a sentence;
/// nullopt: all of it is there, made with either flavour of iptables. One process a family.
std::optional<std::string> find_iptables_ports_fault(Nft& nft, const IptablesPorts& what,
                                                     const IsVoid& is_void, Deadline deadline);
/// CHECK of those who publish otherwise: a port of `what` that leads elsewhere by a chain that
/// `is_void`, as a sentence. Costs what require_no_iptables_ports() does. What no program on this
/// host can read is passed over.
std::optional<std::string> find_void_iptables_ports(Nft& nft, const IptablesPorts& what,
                                                    const IsVoid& is_void, Deadline deadline);

/// Whether a port is published so in that family, by anybody. No process.
bool has_iptables_ports(Nft& nft, Family family);
/// Whether any are of containers whose chains aren't among `ours`, as iptables_ports_chain() names
/// them. In iptables-legacy, which isn't read, only if `ours` is empty.
bool has_iptables_ports_besides(Nft& nft, Family family, const std::set<std::string>& ours);
/// Whether that chain is there, in either family and either flavour of iptables. No process.
bool has_iptables_ports_chain(Nft& nft, const std::string& network, const std::string& owner);
/// The chain of a container's ports, as the reference names it. `owner`: iptables_chain_owner().
std::string iptables_ports_chain(const std::string& network, const std::string& owner);

}  // namespace unicni::net
