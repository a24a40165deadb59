// Taking away what portmap's "backend": "iptables" made, of us or of the reference.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// Removes the chains CNI-DN-… (and CNI-SN-… of old versions) of each of `owners`
/// (iptables_chain_owner()) and what leads there, made by us or by the reference, with iptables-nft
/// (through netlink, no process) or -legacy. With the last ports of anybody in a family what
/// attachments share goes as well. Where there is nothing it is one netlink round trip and a look
/// at two files of /proc. Returns how many rules of shared chains that led there went. `goes` is
/// asked where there is a chain. Throws Error; goes on past errors.
std::size_t remove_iptables_ports(Nft& nft, const std::string& network,
                                  const std::vector<std::string>& owners, Deadline deadline,
                                  const std::function<bool(const std::string& owner)>& goes = {});

/// One attachment's chain of one family by its name, in the same way.
void remove_iptables_ports_chain(Nft& nft, Family family, const std::string& chain,
                                 Deadline deadline);

}  // namespace unicni::net
