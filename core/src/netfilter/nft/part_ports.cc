// Published ports: DNAT for what is addressed to this host, and the host's own address for those
// whose answers would otherwise not come back this way: the host's own loopback here, the
// container's subnet in nft_prefix_part.h. 5 behind the usual priorities: the first
// chain that sets up a NAT binding ends the matter, so rules of others on the same port win
// (CVE-2019-9946). The destination must be one of this host's addresses (CVE-2025-67499).
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kRaw = -300;               // NF_IP_PRI_RAW
constexpr std::int32_t kDnatPriority = -100 + 5;  // NF_IP_PRI_NAT_DST
constexpr std::int32_t kSnatPriority = 100 + 4;   // before source_nat

constexpr NftBaseChain kLocalnet{"localnet", {2}, "filter", NF_INET_PRE_ROUTING, kRaw};
constexpr NftBaseChain kDnatIn{"dnat_in", {0, 1, 1}, "nat", NF_INET_PRE_ROUTING, kDnatPriority};
constexpr NftBaseChain kDnatOut{"dnat_out", {0, 1, 1}, "nat", NF_INET_LOCAL_OUT, kDnatPriority};
constexpr NftBaseChain kToPorts4{"to_ports4", {0, 4, 0}};
constexpr NftBaseChain kToPorts6{"to_ports6", {0, 0, 4}};
constexpr NftBaseChain kSnatPorts{
    "snat_ports", {0, 1, 1}, "nat", NF_INET_POST_ROUTING, kSnatPriority};
constexpr NftBaseChain kSnatPorts4{"snat_ports4", {0, 4, 0}};
constexpr NftBaseChain kSnatPorts6{"snat_ports6", {0, 0, 4}};
constexpr NftBaseChain kChains[] = {kLocalnet, kDnatIn,    kDnatOut,    kToPorts4,
                                    kToPorts6, kSnatPorts, kSnatPorts4, kSnatPorts6};
constexpr const char* kSets[] = {"port4_at", "port4_any", "port6_at", "port6_any", "claim4",
                                 "claim6",   "pub4",      "pub6",     "nosnat4",   "nosnat6",
                                 "masqall4", "masqall6",  "local4"};
constexpr const char* kNetworkSets[] = {"localnet_if"};

struct Names {
  Family family;
  const char* at;
  const char* any;
  const char* claim;
  const char* published;
  const char* no_snat;
  const char* masq_all;
  const char* loopback;
  const char* to_ports;
  const char* snat_ports;
};
constexpr Names kFamilies[] = {{Family::v4, "port4_at", "port4_any", "claim4", "pub4", "nosnat4",
                                "masqall4", "127.0.0.0/8", kToPorts4.name, kSnatPorts4.name},
                               {Family::v6, "port6_at", "port6_any", "claim6", "pub6", "nosnat6",
                                "masqall6", "::1/128", kToPorts6.name, kSnatPorts6.name}};

void write_sets(NftBaseWriter& base, NftFamilies families) {
  using nft_key::kInterface;
  using nft_key::kL4Protocol;
  using nft_key::kMark;
  using nft_key::kPort;
  base.set("localnet_if", {kInterface}, "interfaces on which route_localnet was set");
  if (has(families, Family::v4)) {
    base.set("local4", {kInterface, nft_key::kIp4}, "who needs route_localnet there");
  }
  write_published_sets(base, families);
  write_masq_all_sets(base, families);
  for (const Names& names : wanted(kFamilies, families)) {
    const NftKeyField ip = names.family == Family::v4 ? nft_key::kIp4 : nft_key::kIp6;
    base.map(names.at, {ip, kL4Protocol, kPort}, {ip, kPort}, "published at one address");
    base.map(names.any, {kL4Protocol, kPort}, {ip, kPort}, "published at any address");
    base.map(names.claim, {kL4Protocol, kPort}, {kMark}, "0 = any address, 1 = single addresses");
    base.set(names.no_snat, {ip, kL4Protocol, kPort}, "snat: false");
  }
}

void write(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  write_sets(base, families);
  write_chains(base, kChains, families);
  const IpNet localnet = IpNet::parse("127.0.0.0/8").value();
  for (const NftField& field : {ip_destination(Family::v4), ip_source(Family::v4)}) {
    base.rule(NftRule(kLocalnet.name)
                  .fields_in({input_name()}, "localnet_if")
                  .family(Family::v4)
                  .field_within(field, localnet)
                  .drop());
  }
  for (const Names& names : wanted(kFamilies, families)) {
    const NftField source = ip_source(names.family);
    const NftField destination = ip_destination(names.family);
    const std::vector<NftField> endpoint = {destination, l4_protocol(), destination_port()};
    const std::vector<NftField> port = {l4_protocol(), destination_port()};
    for (const char* chain : {kDnatIn.name, kDnatOut.name}) {
      base.rule(NftRule(chain).family(names.family).destination_is_local().go_to(names.to_ports));
    }
    base.rule(
        NftRule(names.to_ports).family(names.family).dnat_of(names.family, endpoint, names.at));
    base.rule(NftRule(names.to_ports).family(names.family).dnat_of(names.family, port, names.any));

    base.rule(NftRule(kSnatPorts.name)
                  .family(names.family)
                  .ct_status_has(IPS_DST_NAT)
                  .go_to(names.snat_ports));
    const auto of = [&](const char* set) {
      NftRule rule(names.snat_ports);
      rule.family(names.family).fields_in(endpoint, set);
      return rule;
    };
    base.rule(of(names.masq_all).masquerade());
    base.rule(of(names.no_snat).returns());
    base.rule(of(names.published)
                  .field_within(source, IpNet::parse(names.loopback).value())
                  .masquerade());
  }
}

}  // namespace

constinit const NftPart kNftPorts{NftTable::inet, kSets, kNetworkSets, kChains, write};

}  // namespace unicni::net
