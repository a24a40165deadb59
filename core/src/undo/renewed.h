// What renewals of a lease mean for what was made for its address.
#pragma once

#include <functional>

#include "unicni/call.h"
#include "unicni/undo/lease.h"

namespace unicni {

/// A CHECK of what was made for the attachment's addresses (masquerade, rules, ports): `check` with
/// a prevResult that has the lease's address by now in place of one that a renewal has replaced, as
/// what was made for that one serves nobody. An error says so then.
void check_renewed(const Call& call, const RenewedLease& renewed,
                   const std::function<void(const Call&)>& check);

}  // namespace unicni
