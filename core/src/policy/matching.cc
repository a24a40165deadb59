#include "policy/matching.h"

#include <fmt/core.h>

#include <algorithm>

#include "policy/glob.h"
#include "unicni/error.h"

namespace unicni::policy {
namespace {

/// An absent value matches "" alone: "*" asks for a value.
bool matches_claim(const Rule& rule, const Patterns& patterns, const Claim& claim,
                   std::string_view what) {
  const auto deny = [&](const std::string& why) {
    throw Error(Code::policy_violated,
                fmt::format("{} looks at {}: {}", rule.title(rule.place), what, why),
                "the runtime must say it in the way that the CNI conventions have it");
  };
  if (!claim.garbage.empty()) deny(claim.garbage);
  if (!claim.value.empty()) return matches_any(patterns, claim.value);
  if (std::find(patterns.begin(), patterns.end(), "") != patterns.end()) return true;
  if (rule.match.denies_missing) deny("it is missing, and \"onMissing\" is deny");
  return false;
}

}  // namespace

bool matches(const Rule& rule, const Facts& facts, const std::vector<const Member*>& members) {
  const Match& match = rule.match;
  if (match.network && !matches_any(*match.network, facts.network)) return false;
  if (match.if_name && !matches_any(*match.if_name, facts.if_name)) return false;
  if (match.type && std::none_of(members.begin(), members.end(), [&](const Member* member) {
        return member->is_of(*match.type);
      })) {
    return false;
  }
  if (match.namespace_ &&
      !matches_claim(rule, *match.namespace_, facts.namespace_, "the pod's namespace")) {
    return false;
  }
  if (match.pod && !matches_claim(rule, *match.pod, facts.pod, "the pod's name")) return false;
  return std::all_of(match.labels.begin(), match.labels.end(), [&](const auto& label) {
    return matches_claim(rule, label.second, facts.label(label.first), "label " + label.first);
  });
}

}  // namespace unicni::policy
