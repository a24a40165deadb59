#include "netfilter/nft/prefix_part.h"

#include <fmt/core.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include <charconv>

#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

using Use = NftPrefixPart::Use;

struct Stem {
  Use use;
  std::string_view name;
};
constexpr Stem kStems[] = {
    {Use::masquerade, "masq"}, {Use::hairpin, "hairpin"}, {Use::hairpin_bit, "bit"}};

// 5 behind the usual places, so that a rule of the user's own wins, and published ports first; the
// bit 5 before them.
constexpr std::int32_t kSourceNat = 100;  // NF_IP_PRI_NAT_SRC
constexpr NftPrefixChain kMasquerade{"nat", NF_INET_POST_ROUTING, kSourceNat + 5, 4};
constexpr NftPrefixChain kHairpin{"nat", NF_INET_POST_ROUTING, kSourceNat + 4, 1};
constexpr NftPrefixChain kHairpinBit{"filter", NF_INET_POST_ROUTING, kSourceNat - 5, 1};

int longest(Family family) { return family == Family::v4 ? 32 : 128; }

void write_masquerade(NftBaseWriter& base, const NftPrefixPart& part, const std::string& name) {
  const NftField source = nft_field::ip_source(part.family);
  const NftField destination = nft_field::ip_destination(part.family);
  const IpNet multicast =
      IpNet::parse(part.family == Family::v4 ? "224.0.0.0/4" : "ff00::/8").value();
  const auto rule = [&] {
    NftRule of(name);
    of.family(part.family);
    return of;
  };
  base.rule(rule().fields_not_in({source, source.cut(part.prefix)}, name).returns());
  base.rule(rule().field_within(destination, multicast).returns());
  base.rule(rule().fields_in({source, destination.cut(part.prefix)}, name).returns());
  base.rule(rule().masquerade());
}

}  // namespace

std::string nft_prefix_set(const NftPrefixPart& part) {
  std::string_view stem;
  for (const Stem& each : kStems) {
    if (each.use == part.use) stem = each.name;
  }
  return fmt::format("{}{}_{}", stem, part.family == Family::v4 ? '4' : '6', part.prefix);
}

std::optional<NftPrefixPart> find_nft_prefix_part(std::string_view set) {
  for (const Stem& stem : kStems) {
    if (!set.starts_with(stem.name)) continue;
    const std::string_view rest = set.substr(stem.name.size());
    if (!rest.starts_with("4_") && !rest.starts_with("6_")) return std::nullopt;
    NftPrefixPart part{stem.use, rest.front() == '4' ? Family::v4 : Family::v6, 0};
    std::from_chars(rest.data() + 2, rest.data() + rest.size(), part.prefix);
    const bool fits = part.prefix >= 0 && part.prefix <= longest(part.family);
    return fits && nft_prefix_set(part) == set ? std::optional(part) : std::nullopt;
  }
  return std::nullopt;
}

NftPrefixChain nft_prefix_chain(const NftPrefixPart& part) {
  switch (part.use) {
    case Use::hairpin:
      return kHairpin;
    case Use::hairpin_bit:
      return kHairpinBit;
    case Use::masquerade:
      break;
  }
  return kMasquerade;
}

void write_nft_prefix_part(NftBaseWriter& base, const NftPrefixPart& part) {
  using namespace nft_field;
  const std::string name = nft_prefix_set(part);
  const NftKeyField ip = part.family == Family::v4 ? nft_key::kIp4 : nft_key::kIp6;
  const std::vector<NftKeyField> endpoint_key = {ip, nft_key::kL4Protocol, nft_key::kPort, ip};
  const NftPrefixChain chain = nft_prefix_chain(part);
  switch (part.use) {
    case Use::masquerade:
      base.set(name.c_str(), {ip, ip}, "container to masquerade . its subnet");
      break;
    case Use::hairpin:
      base.set(name.c_str(), endpoint_key, "published port . the container's subnet");
      break;
    case Use::hairpin_bit:
      base.verdict_map(name.c_str(), endpoint_key, "markMasqBit: port . the container's subnet");
      break;
  }
  base.base_chain(name.c_str(), chain.type, chain.hook, chain.priority);
  if (part.use == Use::masquerade) {
    write_masquerade(base, part, name);
    return;
  }
  const std::vector<NftField> fields = {ip_destination(part.family), l4_protocol(),
                                        destination_port(),
                                        ip_source(part.family).cut(part.prefix)};
  NftRule rule(name);
  rule.family(part.family);
  if (part.use == Use::hairpin_bit) rule.ct_state_has(NF_CT_STATE_BIT(IP_CT_NEW));
  rule.ct_status_has(IPS_DST_NAT);
  if (part.use == Use::hairpin_bit) {
    rule.verdict_of(fields, name);
  } else {
    rule.fields_in(fields, name).masquerade();
  }
  base.rule(rule);
}

}  // namespace unicni::net
