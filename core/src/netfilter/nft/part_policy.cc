// What may not be forwarded by ingressPolicy: ahead of what may (nft_part_forward.cc), as a drop is
// final and a mark isn't.
#include <linux/netfilter.h>

#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kBeforeForward = 0 - 11;  // NF_IP_PRI_FILTER

constexpr NftBaseChain kPolicy{
    "ingress_policy", {1, 1, 1}, "filter", NF_INET_FORWARD, kBeforeForward};
constexpr NftBaseChain kPolicyCheck{"policy_check", {1, 2, 2}};
constexpr NftBaseChain kChains[] = {kPolicy, kPolicyCheck};
constexpr const char* kSets[] = {"policy4", "policy6", "isolated4", "isolated6"};
constexpr const char* kNetworkSets[] = {"policy_if"};

struct Names {
  Family family;
  const char* policy;
  const char* isolated;
};
constexpr Names kFamilies[] = {{Family::v4, "policy4", "isolated4"},
                               {Family::v6, "policy6", "isolated6"}};

void write(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  using nft_key::kInterface;
  base.set("policy_if", {kInterface}, "bridges with an ingressPolicy");
  for (const Names& names : wanted(kFamilies, families)) {
    const NftKeyField ip = names.family == Family::v4 ? nft_key::kIp4 : nft_key::kIp6;
    base.set(names.policy, {kInterface, ip}, "ingressPolicy same-bridge or isolated");
    base.set(names.isolated, {kInterface, ip}, "ingressPolicy isolated");
  }
  write_chains(base, kChains, families);
  for (const Names& names : wanted(kFamilies, families)) {
    base.rule(NftRule(kPolicy.name)
                  .family(names.family)
                  .fields_in({input_name(), ip_destination(names.family)}, names.isolated)
                  .drop());
  }
  base.rule(NftRule(kPolicy.name).fields_in({input_name()}, "policy_if").jump(kPolicyCheck.name));
  for (const Names& names : wanted(kFamilies, families)) {
    base.rule(NftRule(kPolicyCheck.name)
                  .family(names.family)
                  .fields_in({input_name(), ip_destination(names.family)}, names.policy)
                  .returns());
  }
  for (const Names& names : wanted(kFamilies, families)) {
    base.rule(NftRule(kPolicyCheck.name)
                  .family(names.family)
                  .fields_in({output_name(), ip_destination(names.family)}, names.policy)
                  .drop());
  }
}

}  // namespace

constinit const NftPart kNftPolicy{NftTable::inet, kSets, kNetworkSets, kChains, write};

}  // namespace unicni::net
