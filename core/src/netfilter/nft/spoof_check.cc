// What comes in through a checked port of a bridge must have a MAC that the port may use.
#include "unicni/netfilter/spoof_check.h"

#include <linux/if_ether.h>
#include <linux/netfilter_bridge.h>

#include "netfilter/nft/element.h"
#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kPortCheckPriority = -300;  // NF_BR_PRI_NAT_DST_BRIDGED

constexpr NftBaseChain kPrerouting{
    "prerouting", {1}, "filter", NF_BR_PRE_ROUTING, kPortCheckPriority};
constexpr NftBaseChain kCheckMac{"check_mac", {3}};
constexpr NftBaseChain kChains[] = {kPrerouting, kCheckMac};
constexpr NftSetKind kSets[] = {NftSetKind::port_checked, NftSetKind::port_mac};

/// At the first hook of the bridge, before it learns a sender's MAC. Packets of unchecked ports
/// cost one look-up.
void write_rules(NftBaseWriter& base, NftFamilies) {
  const char* checked = nft_set(NftSetKind::port_checked).name.c_str();
  const char* allowed = nft_set(NftSetKind::port_mac).name.c_str();
  const NftField port = nft_field::input_name();
  base.rule(NftRule(kPrerouting.name).fields_in({port}, checked).go_to(kCheckMac.name));
  base.rule(
      NftRule(kCheckMac.name).fields_not_in({port, nft_field::ether_source()}, allowed).drop());
  // Else a container could answer for another one's address from its own MAC.
  base.rule(NftRule(kCheckMac.name)
                .protocol(ETH_P_ARP)
                .fields_not_in({port, nft_field::arp_sender_mac()}, allowed)
                .drop());
}

}  // namespace

constinit const NftPart kNftPortCheck{.table = NftTable::bridge,
                                      .sets = kSets,
                                      .looked_up = {},
                                      .marker = std::nullopt,
                                      .chains = kChains,
                                      .write_rules = write_rules};

std::vector<NftElement> spoof_check_elements(const std::string& port, const Mac& mac,
                                             const std::string& owner) {
  NftElement checked = interface_element(NftSetKind::port_checked, port, owner);
  NftElement allowed = interface_element(NftSetKind::port_mac, port, owner);
  allowed.key += mac_key(mac);
  return {std::move(checked), std::move(allowed)};
}

}  // namespace unicni::net
