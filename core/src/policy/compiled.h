// The form in which the executable reads a policy: lines of base's codec, one a rule and one for
// each of its parts, in their order. Nothing in it is optional to know: a program that finds a word
// or a field of another version has no policy, and compiles anew.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/policy.h"

namespace unicni::policy {

std::string print_policy(const Policy& policy);
/// What print_policy() wrote. nullopt: anything else, also a part of it.
std::optional<Policy> parse_policy(std::string_view text);

}  // namespace unicni::policy
