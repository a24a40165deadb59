#include "unicni/netfilter/masquerade.h"

#include <linux/netfilter.h>

#include <string>

#include "netfilter/nft/base_writer.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/prefix_part.h"

namespace unicni::net {
namespace {

// NF_IP_PRI_NAT_SRC and 5 behind it: the first chain that sets up a NAT binding ends the matter
// (nf_nat_inet_fn), so a source NAT of the host's administrator wins, and 4, where published ports
// are, comes before it.
constexpr std::int32_t kBehindSourceNat = 100 + 5;

/// The chain's policy is what masquerades, so that every rule before says who isn't masqueraded.
void write_rules(NftBaseWriter& base, const NftSetRow& set) {
  const Family family = set.address_family();
  const std::string name = set.name.c_str();
  const NftField source = nft_field::ip_source(family);
  const NftField destination = nft_field::ip_destination(family);
  const IpNet multicast = IpNet::parse(family == Family::v4 ? "224.0.0.0/4" : "ff00::/8").value();
  const auto rule = [&] { return NftRule(name, family); };
  // Most packets of a host are no container's of this length: out at the first look-up.
  base.rule(rule().fields_not_in({source, source.cut(set.prefix)}, name).returns());
  // Multicast keeps the sender's address, as with the reference.
  base.rule(rule().field_within(destination, multicast).returns());
  // The sender's own element with the destination's subnet as its second field: it stays at home.
  base.rule(rule().fields_in({source, destination.cut(set.prefix)}, name).returns());
  base.rule(rule().masquerade());
}

}  // namespace

constinit const NftPrefixUse kNftMasquerade{
    NftSetKind::masquerade, {"nat", NF_INET_POST_ROUTING, kBehindSourceNat, 4}, write_rules};

NftElement masquerade_element(const IpNet& address, const std::string& owner) {
  const NftSetRow set = nft_set(NftSetKind::masquerade, address.family(), address.prefix_length());
  return {set.name.c_str(),
          address_key(address.address()) + address_key(address.network()),
          {},
          nft_owner(owner),
          set.table,
          {}};
}

}  // namespace unicni::net
