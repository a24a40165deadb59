// Getting the addresses of one ADD.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/call.h"
#include "unicni/ipam/store.h"
#include "unicni/result.h"

namespace unicni::host_local {

/// What one ADD asks of the store.
struct Request {
  std::vector<ipam::RangeSet> sets;
  std::vector<std::optional<IpAddress>> wanted;  ///< of each set
  ipam::Intervals excluded;
  Attachment owner;
  std::string sticky;       ///< the key; "": none
  std::int64_t quarantine;  ///< seconds
};

/// One address of each set, each reserved and announced: the wanted one; else the one that this
/// attachment had before the machine was started again, or that its sticky key had; else the one
/// whose turn it is. Refused (Error) if the attachment has an address that it would get now without
/// asking for it by name. On an Error nothing of it stays reserved; older reservations are not
/// touched.
std::vector<IpConfig> take_addresses(ipam::Store& store, const Request& request,
                                     const ipam::Store::Announce& will);

/// "no IP addresses available in range set: 10.1.2.1-10.1.2.6 (5 of 5 used)", and what rests.
std::string describe_exhausted(const ipam::RangeSet& set, const ipam::Usage& usage);

}  // namespace unicni::host_local
