// "ipMasq" of interface modules (bridge, ptp): traffic that leaves the attachment's subnets takes
// the host's address.
#pragma once

#include <string>
#include <vector>

#include "unicni/host.h"

namespace unicni {

enum class MasqBackend : unsigned char {
  nftables,  ///< elements of our own table
  iptables,  ///< the reference's chain and rules, for tools that look for them
  none,      ///< somebody else does it
};

/// The choices of "ipMasqBackend".
inline constexpr const char* kMasqBackends[] = {"nftables", "iptables", "none", "", nullptr};
/// "ipMasqBackend" as text; empty: nftables.
MasqBackend masq_backend(const std::string& name);

/// ADD: rules for all addresses of `result`, announced to Host::undo() first. `more` are the
/// attachment's other elements, which go into the same transaction. Throws Error.
void add_masquerade(const Call& call, Host& host, const Result& result, MasqBackend backend,
                    const std::vector<net::NftElement>& more = {});
/// CHECK: the rules are there and in force, `more` too. Throws Error.
void check_masquerade(const Call& call, Host& host, const Result& result, MasqBackend backend,
                      const std::vector<net::NftElement>& more = {});
/// DEL: the rules that the reference or backend iptables made, whatever the configuration says
/// today. Our own elements are core's business: the journal knows them, or their owner is searched
/// for.
void sweep_masquerade(const Call& call, Host& host, const std::vector<IpNet>& addresses);

}  // namespace unicni
