// What comes in through a checked port of a bridge must have a MAC that the port may use.
#include <linux/if_ether.h>
#include <linux/netfilter_bridge.h>

#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kPortCheckPriority = -300;  // NF_BR_PRI_NAT_DST_BRIDGED

constexpr NftBaseChain kPrerouting{
    "prerouting", {1}, "filter", NF_BR_PRE_ROUTING, kPortCheckPriority};
constexpr NftBaseChain kCheckMac{"check_mac", {3}};
constexpr NftBaseChain kChains[] = {kPrerouting, kCheckMac};
constexpr const char* kSets[] = {"port_checked", "port_mac"};

void write(NftBaseWriter& base, NftFamilies families) {
  using nft_key::kInterface;
  using nft_key::kMac;
  base.set("port_checked", {kInterface}, "ports whose senders are checked");
  base.set("port_mac", {kInterface, kMac}, "port . MAC that it may send from");
  write_chains(base, kChains, families);

  const NftField port = nft_field::input_name();
  base.rule(NftRule(kPrerouting.name).fields_in({port}, "port_checked").go_to(kCheckMac.name));
  base.rule(
      NftRule(kCheckMac.name).fields_not_in({port, nft_field::ether_source()}, "port_mac").drop());
  base.rule(NftRule(kCheckMac.name)
                .protocol(ETH_P_ARP)
                .fields_not_in({port, nft_field::arp_sender_mac()}, "port_mac")
                .drop());
}

}  // namespace

constinit const NftPart kNftPortCheck{NftTable::bridge, kSets, {}, kChains, write};

}  // namespace unicni::net
