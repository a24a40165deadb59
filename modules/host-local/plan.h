// What a request asks of host-local, checked: the part of every verb that touches nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config.h"
#include "unicni/call.h"
#include "unicni/folders.h"
#include "unicni/ipam/range.h"

namespace unicni::host_local {

/// "dataDir". Its default, written out or not, stands for the host's folder of reservations.
/// Error(invalid_config) unless it is absolute, without ".." and control characters.
std::string data_dir(const HostLocalOptions& options, const Folders& folders);

/// Range sets in the order in which they are numbered: "ipRanges", the flat range, "ranges".
/// Error(invalid_config) for everything that canonical_sets() refuses and for more than one set of
/// a family below version 0.3.0, which can't express that. May be empty.
std::vector<ipam::RangeSet> range_sets(const Call& call);

/// Error(invalid_config) for a set that can't give a single address, because all are gateways or
/// excluded.
void require_usable(const std::vector<ipam::RangeSet>& sets, const ipam::Intervals& excluded);

/// "exclude" in order. Error(invalid_config) for what is no address, subnet or first-last.
ipam::Intervals excluded(const HostLocalOptions& options);

/// For each set the address that the request wants from it (the first that fits), from CNI_ARGS,
/// args.cni and runtimeConfig. Error(invalid_environment, invalid_config) for text that is no
/// address, for a set's gateway, for network and broadcast addresses, for what is excluded and for
/// addresses that no set is left for.
std::vector<std::optional<IpAddress>> wanted_addresses(const HostLocalOptions& options,
                                                       const std::vector<ipam::RangeSet>& sets);

/// Error(invalid_config) if GC came without its list.
const ValidAttachments& valid_attachments(const Call& call);

}  // namespace unicni::host_local
