// What may not be forwarded by ingressPolicy: ahead of what may (forwarding.cc), as a drop is final
// and a mark isn't.
#include "unicni/netfilter/ingress_policy.h"

#include <linux/netfilter.h>

#include "netfilter/nft/element.h"
#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kBeforeForward = 0 - 11;  // one before forwarding.cc's

constexpr NftBaseChain kPolicy{
    "ingress_policy", {1, 1, 1}, "filter", NF_INET_FORWARD, kBeforeForward};
constexpr NftBaseChain kPolicyCheck{"policy_check", {1, 2, 2}};
constexpr NftBaseChain kChains[] = {kPolicy, kPolicyCheck};
constexpr NftSetKind kSets[] = {NftSetKind::policy_if, NftSetKind::policy, NftSetKind::isolated};

void write_rules(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  const auto name = [](NftSetKind kind, Family family = Family::v4) {
    return nft_set(kind, family).name.c_str();
  };
  // From the bridge to itself: only where its packets are routed, or bridge-nf-call-iptables shows
  // bridged ones to this hook (br_nf_forward_ip). Before the next rule, which lets these pass.
  for (const Family family : list(families)) {
    base.rule(
        NftRule(kPolicy.name)
            .family(family)
            .fields_in({input_name(), ip_destination(family)}, name(NftSetKind::isolated, family))
            .drop());
  }
  // Who comes from elsewhere, from the world behind the host or a bridge without a policy, is free.
  base.rule(NftRule(kPolicy.name)
                .fields_in({input_name()}, name(NftSetKind::policy_if))
                .jump(kPolicyCheck.name));
  for (const Family family : list(families)) {
    base.rule(
        NftRule(kPolicyCheck.name)
            .family(family)
            .fields_in({input_name(), ip_destination(family)}, name(NftSetKind::policy, family))
            .returns());
  }
  for (const Family family : list(families)) {
    base.rule(
        NftRule(kPolicyCheck.name)
            .family(family)
            .fields_in({output_name(), ip_destination(family)}, name(NftSetKind::policy, family))
            .drop());
  }
}

}  // namespace

constinit const NftPart kNftPolicy{.table = NftTable::inet,
                                   .sets = kSets,
                                   .looked_up = {},
                                   .marker = NftSetKind::policy,
                                   .chains = kChains,
                                   .write_rules = write_rules};

std::vector<NftElement> ingress_elements(IngressPolicy policy, const std::string& bridge,
                                         const IpAddress& address, const std::string& owner) {
  std::vector<NftElement> elements = {
      interface_element(NftSetKind::policy, bridge, address, owner)};
  if (policy == IngressPolicy::isolated) {
    elements.push_back(interface_element(NftSetKind::isolated, bridge, address, owner));
  }
  return elements;
}

NftElement policy_interface_element(const std::string& bridge, const std::string& network) {
  return interface_element(NftSetKind::policy_if, bridge, network);
}

}  // namespace unicni::net
