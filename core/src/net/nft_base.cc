#include "net/nft_base.h"

#include <fmt/core.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_bridge.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

#include "net/attribute.h"
#include "net/nft_base_writer.h"
#include "net/nft_query.h"
#include "net/nft_transaction.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr const char* kBaseComment = "unicni base 1";

/// What the kernel says of a chain when nothing is wrong with it.
struct BaseChain {
  const char* name;
  std::uint32_t use;           ///< rules in it and jumps to it
  const char* type = nullptr;  ///< nullptr: a regular chain
  std::uint32_t hook = 0;
  std::int32_t priority = 0;
};

// 5 behind the usual place, so that a rule of the user's own wins.
constexpr std::int32_t kSourceNatPriority = 100 + 5;  // NF_IP_PRI_NAT_SRC
constexpr std::int32_t kPortCheckPriority = -300;     // NF_BR_PRI_NAT_DST_BRIDGED

constexpr BaseChain kSourceNat{"source_nat", 2, "nat", NF_INET_POST_ROUTING, kSourceNatPriority};
constexpr BaseChain kMasqNet4{"masq_net4", 4};
constexpr BaseChain kMasqNet6{"masq_net6", 4};
constexpr BaseChain kInetChains[] = {kSourceNat, kMasqNet4, kMasqNet6};

constexpr BaseChain kPrerouting{"prerouting", 1, "filter", NF_BR_PRE_ROUTING, kPortCheckPriority};
constexpr BaseChain kCheckMac{"check_mac", 3};
constexpr BaseChain kBridgeChains[] = {kPrerouting, kCheckMac};

std::span<const BaseChain> chains_of(NftTable table) {
  if (table == NftTable::bridge) return kBridgeChains;
  return kInetChains;
}

void write_chains(NftBaseWriter& base, NftTable table) {
  for (const BaseChain& chain : chains_of(table)) {
    if (chain.type == nullptr) {
      base.chain(chain.name);
    } else {
      base.base_chain(chain.name, chain.type, chain.hook, chain.priority);
    }
  }
}

/// What leaves a container for outside its own networks gets the host's address.
void write_masquerade(NftBaseWriter& base) {
  using Kind = NftBaseWriter::Kind;
  using nft_key::kIp4;
  using nft_key::kIp6;
  base.set("net4", {kIp4, kIp4}, Kind::interval, "subnet . subnet: on-link pairs");
  base.set("net6", {kIp6, kIp6}, Kind::interval, "subnet . subnet: on-link pairs");
  base.set("masq4", {kIp4}, Kind::hash, "container addresses to masquerade");
  base.set("masq6", {kIp6}, Kind::hash, "container addresses to masquerade");
  write_chains(base, NftTable::inet);

  struct Parts {
    Family family;
    const char* sources;
    const char* pairs;
    const char* chain;
    const char* multicast;
  };
  constexpr Parts kParts[] = {{Family::v4, "masq4", "net4", kMasqNet4.name, "224.0.0.0/4"},
                              {Family::v6, "masq6", "net6", kMasqNet6.name, "ff00::/8"}};
  for (const Parts& part : kParts) {
    const NftField source = nft_field::ip_source(part.family);
    const NftField destination = nft_field::ip_destination(part.family);
    const IpNet multicast = IpNet::parse(part.multicast).value();
    base.rule(NftRule(kSourceNat.name)
                  .family(part.family)
                  .fields_in({source}, part.sources)
                  .go_to(part.chain));
    base.rule(
        NftRule(part.chain).family(part.family).field_within(destination, multicast).returns());
    base.rule(NftRule(part.chain)
                  .family(part.family)
                  .fields_in({source, destination}, part.pairs)
                  .returns());
    base.rule(NftRule(part.chain).masquerade());
  }
}

/// What comes in through a checked port must have a MAC that the port may use.
void write_port_checks(NftBaseWriter& base) {
  using Kind = NftBaseWriter::Kind;
  using nft_key::kInterface;
  using nft_key::kMac;
  base.set("port_checked", {kInterface}, Kind::hash, "ports whose senders are checked");
  base.set("port_mac", {kInterface, kMac}, Kind::hash, "port . MAC that it may send from");
  write_chains(base, NftTable::bridge);

  const NftField port = nft_field::input_name();
  base.rule(NftRule(kPrerouting.name).fields_in({port}, "port_checked").go_to(kCheckMac.name));
  base.rule(
      NftRule(kCheckMac.name).fields_not_in({port, nft_field::ether_source()}, "port_mac").drop());
  base.rule(NftRule(kCheckMac.name)
                .protocol(ETH_P_ARP)
                .fields_not_in({port, nft_field::arp_sender_mac()}, "port_mac")
                .drop());
}

NftBaseWriter write_base(NftTable table, NftBaseWriter::Mode mode) {
  NftBaseWriter base(table, mode, kBaseComment);
  if (table == NftTable::bridge) {
    write_port_checks(base);
  } else {
    write_masquerade(base);
  }
  return base;
}

NftFound find_base(NetlinkSocket& socket, NftTable table) {
  std::vector<NftChainName> names;
  for (const BaseChain& chain : chains_of(table)) {
    names.push_back({nft_family(table), kNftTable, chain.name});
  }
  return find_table_and_chains(socket, nft_family(table), kNftTable, names);
}

Error cannot_mend(NftTable table, int error) {
  return system_error(error, fmt::format("mend table {}", nft_table_name(table)))
      .advise(fmt::format("look at `nft list table {}`: its sets or chains are not those of this "
                          "version of unicni",
                          nft_table_name(table)));
}

/// The kernel takes no new base chain in the transaction that wakes the table.
void wake(NetlinkSocket& socket, NftTable table) {
  NftBatch batch;
  nlmsghdr* message = batch.add(NFT_MSG_NEWTABLE, 0, nft_family(table));
  mnl_attr_put_strz(message, NFTA_TABLE_NAME, kNftTable);
  mnl_attr_put_u32(message, NFTA_TABLE_FLAGS, 0);
  const auto failures = batch.commit(socket);
  if (!failures.empty()) throw cannot_mend(table, failures.front().error);
}

}  // namespace

std::span<const NftSet> attachment_sets() {
  static constexpr NftSet kSets[] = {{"masq4", NftTable::inet},
                                     {"masq6", NftTable::inet},
                                     {"port_checked", NftTable::bridge},
                                     {"port_mac", NftTable::bridge}};
  return kSets;
}

std::uint8_t nft_family(NftTable table) {
  return table == NftTable::bridge ? NFPROTO_BRIDGE : NFPROTO_INET;
}

const char* nft_table_name(NftTable table) {
  return table == NftTable::bridge ? "bridge unicni" : "inet unicni";
}

bool create_nft_base(NetlinkSocket& socket, NftTable table) {
  NftBaseWriter base = write_base(table, NftBaseWriter::Mode::create);
  const auto failures = base.batch().commit(socket);
  if (failures.empty()) return true;
  // Message 0 is the table. Whoever made it made all of it in one transaction as well.
  const bool exists = std::ranges::any_of(failures, [](const NftBatch::Failure& failure) {
    return failure.index == 0U && failure.error == EEXIST;
  });
  if (exists) return false;
  throw system_error(failures.front().error,
                     fmt::format("create the base of table {}", nft_table_name(table)))
      .advise(failures.front().text);
}

std::optional<std::string> find_nft_base_fault(NetlinkSocket& socket, NftTable table) {
  const NftFound found = find_base(socket, table);
  const char* name = nft_table_name(table);
  if (!found.table) return fmt::format("table {} is missing", name);
  if (found.table->dormant) return fmt::format("table {} is dormant", name);
  if (found.table->comment != kBaseComment) return std::nullopt;
  const auto chains = chains_of(table);
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const BaseChain& wanted = chains[i];
    const auto& chain = found.chains[i];
    if (!chain) return fmt::format("chain {} of table {} is missing", wanted.name, name);
    const bool hooked = wanted.type != nullptr;
    if (chain->hooked != hooked ||
        (hooked && (chain->hook != wanted.hook || chain->priority != wanted.priority))) {
      return fmt::format("chain {} of table {} is not hooked where it belongs", wanted.name, name);
    }
    if (chain->use < wanted.use) {
      return fmt::format("chain {} of table {} lacks rules", wanted.name, name);
    }
  }
  return std::nullopt;
}

void mend_nft_base(NetlinkSocket& socket, NftTable table) {
  const NftFound found = find_base(socket, table);
  if (!found.table) return;
  if (found.table->comment != kBaseComment) {
    const char* name = nft_table_name(table);
    throw Error(Code::internal, fmt::format("table {} is there but not its sets", name),
                fmt::format("look at `nft list table {}`: it was not made by this version of "
                            "unicni, remove it",
                            name));
  }
  if (found.table->dormant) wake(socket, table);
  NftBaseWriter base = write_base(table, NftBaseWriter::Mode::mend);
  const auto failures = base.batch().commit(socket);
  for (const NftBatch::Failure& failure : failures) {
    if (!is_nft_race(failure.error)) throw cannot_mend(table, failure.error);
  }
}

}  // namespace unicni::net
