// Published ports that only some may connect to: a verdict map leads to the attachment's own chain,
// whose rule holds its condition and goes on to the DNAT. As a port has one owner, these maps and
// those of nft_part_ports.cc never know the same port, and the order of the two doesn't matter.
#include <linux/netfilter.h>

#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kDnatPriority = -100 + 5;  // NF_IP_PRI_NAT_DST; as nft_part_ports.cc

constexpr NftBaseChain kIn{"cond_in", {0, 1, 1}, "nat", NF_INET_PRE_ROUTING, kDnatPriority};
constexpr NftBaseChain kOut{"cond_out", {0, 1, 1}, "nat", NF_INET_LOCAL_OUT, kDnatPriority};
constexpr NftBaseChain kToConditions4{"to_conditions4", {0, 4, 0}};
constexpr NftBaseChain kToConditions6{"to_conditions6", {0, 0, 4}};
constexpr NftBaseChain kToPorts4{"to_cond_ports4", {0, 2, 0}, nullptr, 0, 0, true};
constexpr NftBaseChain kToPorts6{"to_cond_ports6", {0, 0, 2}, nullptr, 0, 0, true};
constexpr NftBaseChain kChains[] = {kIn,       kOut,     kToConditions4, kToConditions6,
                                    kToPorts4, kToPorts6};
constexpr const char* kSets[] = {"cond4_at",  "cond4_any",  "cond6_at",  "cond6_any",
                                 "cport4_at", "cport4_any", "cport6_at", "cport6_any"};

struct Names {
  Family family;
  const char* condition_at;
  const char* condition_any;
  const char* port_at;
  const char* port_any;
  const char* to_conditions;
  const char* to_ports;
};
constexpr Names kFamilies[] = {{Family::v4, "cond4_at", "cond4_any", "cport4_at", "cport4_any",
                                kToConditions4.name, kToPorts4.name},
                               {Family::v6, "cond6_at", "cond6_any", "cport6_at", "cport6_any",
                                kToConditions6.name, kToPorts6.name}};

void write(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  using nft_key::kL4Protocol;
  using nft_key::kPort;
  for (const Names& names : wanted(kFamilies, families)) {
    const NftKeyField ip = names.family == Family::v4 ? nft_key::kIp4 : nft_key::kIp6;
    base.verdict_map(names.condition_at, {ip, kL4Protocol, kPort},
                     "at one address, on a condition");
    base.verdict_map(names.condition_any, {kL4Protocol, kPort}, "at any address, on a condition");
    base.map(names.port_at, {ip, kL4Protocol, kPort}, {ip, kPort}, "where it leads");
    base.map(names.port_any, {kL4Protocol, kPort}, {ip, kPort}, "where it leads");
  }
  write_chains(base, kChains, families);
  for (const Names& names : wanted(kFamilies, families)) {
    const std::vector<NftField> endpoint = {ip_destination(names.family), l4_protocol(),
                                            destination_port()};
    const std::vector<NftField> port = {l4_protocol(), destination_port()};
    for (const char* chain : {kIn.name, kOut.name}) {
      base.rule(
          NftRule(chain).family(names.family).destination_is_local().go_to(names.to_conditions));
    }
    const auto of = [&](const char* chain) {
      NftRule rule(chain);
      rule.family(names.family);
      return rule;
    };
    base.rule(of(names.to_conditions).verdict_of(endpoint, names.condition_at));
    base.rule(of(names.to_conditions).verdict_of(port, names.condition_any));
    base.rule(of(names.to_ports).dnat_of(names.family, endpoint, names.port_at));
    base.rule(of(names.to_ports).dnat_of(names.family, port, names.port_any));
  }
}

}  // namespace

const char* nft_ports_behind_condition(Family family) {
  return family == Family::v4 ? kToPorts4.name : kToPorts6.name;
}

constinit const NftPart kNftConditions{NftTable::inet, kSets, {}, kChains, write};

}  // namespace unicni::net
