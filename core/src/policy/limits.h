// What one member may be configured to, wherever the value comes from and however it is spelled.
#pragma once

#include "policy/facts.h"
#include "policy/member.h"
#include "policy/policy.h"

namespace unicni::policy {

/// Throws Error(policy_violated) unless each value of the limit's key is allowed, in the
/// configuration, runtimeConfig, args.cni and CNI_ARGS, also in objects there; of a missing one,
/// what the plugin makes of it. What the plugin doesn't read isn't given, but must be allowed. A
/// member whose table lacks the key isn't bound; of a program without a known table only what
/// stands there is looked at.
void require_limit(const Rule& rule, const Limit& limit, const Member& member, const Facts& facts);

}  // namespace unicni::policy
