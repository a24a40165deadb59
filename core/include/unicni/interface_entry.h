// The interfaces of a result: making their entries, and comparing them with the kernel's links.
#pragma once

#include <cstdint>
#include <string>

#include "unicni/call.h"
#include "unicni/mac.h"
#include "unicni/net/link.h"
#include "unicni/result.h"

namespace unicni {

/// The interface entry of a result for this name; `sandbox` empty: one on the host. nullptr if
/// there is none.
const Interface* find_interface(const Result&, const std::string& name, const std::string& sandbox);

/// Entries of a result; a MAC of zeros is none (CAN, tunnels); `mtu` in bytes, 0: unknown; it is in
/// results since 1.1.0.
Interface host_interface(const Call& call, const std::string& name, const Mac& mac,
                         std::uint32_t mtu);
Interface container_interface(const Call& call, const Mac& mac, std::uint32_t mtu);
/// Whether results of this call's version have "mtu", "socketPath" and "pciID" (1.1.0).
bool tells_devices(const Call& call);

/// CHECK's comparisons of a record with the kernel; what wasn't recorded says nothing. Throw Error.
void require_same_mac(const Interface& recorded, const net::Link& link);
void require_same_mtu(const Interface& recorded, const net::Link& link);
/// The same for "mtu" of the configuration, for results before 1.1.0, which have none; 0: not set.
void require_mtu(std::int64_t configured, const net::Link& link);

}  // namespace unicni
