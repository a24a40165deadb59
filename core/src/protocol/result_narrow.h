// What a result loses on its way through an older layout.
#pragma once

#include "protocol/version.h"
#include "unicni/result.h"

namespace unicni::protocol {

/// Whether print_result() could ever succeed for a layer-2 result: false below 0.3.0. Asked before
/// acting.
bool can_express_without_ips(SpecVersion version);

/// What is left of a result when it goes over the wire at `version`: parse_result(print_result(r,
/// v), v) without JSON. A step in the same process must see no more than one in a process of its
/// own. Throws as print_result() does. From 0.3.0 on interfaces lose mtu, socketPath and pciID
/// below 1.0.0 and routes lose nothing (CONV-06, CONV-07); below 0.3.0 the first address of each
/// family stays, with those routes whose dst is of its family (CONV-08).
Result narrowed(Result result, SpecVersion version);

}  // namespace unicni::protocol
