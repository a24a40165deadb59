// Whether a rule is about a request.
#pragma once

#include <vector>

#include "policy/facts.h"
#include "policy/member.h"
#include "policy/policy.h"

namespace unicni::policy {

/// Error(policy_violated) for a claim that the rule looks at and that is garbage, or absent where
/// the rule denies that; what network, interface or type keep out isn't looked at.
bool matches(const Rule& rule, const Facts& facts, const std::vector<const Member*>& members);

}  // namespace unicni::policy
