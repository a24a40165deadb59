#include "net/nft_subnet_set.h"

#include <endian.h>
#include <fmt/core.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "net/attribute.h"
#include "net/nft_base.h"
#include "net/nft_base_writer.h"
#include "net/nft_query.h"
#include "net/question.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

using Use = NftSubnetSet::Use;

struct Kind {
  Use use;
  std::string_view prefix;
  const char* chain;
  const char* base_set;
  const char* comment;
};
constexpr Kind kKinds[] = {
    {Use::masquerade, "masq_", "masq_subnets", "masq4",
     "masquerade what they send out of their subnet"},
    {Use::hairpin, "hairpin_", "hairpin_subnets", "self4",
     "masquerade what comes to their ports from their subnet"},
    {Use::mark, "mark_", "mark_subnets", "bit4",
     "markMasqBit for what comes to their ports from their subnet"},
};

const Kind& kind_of(const NftSubnetSet& set) {
  return *std::ranges::find(kKinds, set.use, &Kind::use);
}

NftKeyField key_of(const NftSubnetSet& set) {
  return set.subnet.is_v4() ? nft_key::kIp4 : nft_key::kIp6;
}

NftRule rule_of(const NftSubnetSet& set) {
  using namespace nft_field;
  const Family family = set.subnet.family();
  const NftField source = ip_source(family);
  const NftField destination = ip_destination(family);
  NftRule rule(kind_of(set).chain);
  rule.family(family);
  if (set.use == Use::masquerade) {
    rule.fields_in({source}, name_of(set)).field_outside(destination, set.subnet).masquerade();
    return rule;
  }
  rule.fields_in({destination}, name_of(set)).field_within(source, set.subnet);
  if (set.use == Use::hairpin) {
    rule.masquerade();
  } else {
    rule.verdict_of({destination, l4_protocol(), destination_port()},
                    set.subnet.is_v4() ? "bit4" : "bit6");
  }
  return rule;
}

bool looks_up(const NftListedRule& rule, const std::string& set) {
  return std::ranges::find(rule.sets, set) != rule.sets.end();
}

bool is_rule_of(const NftListedRule& rule, const NftSubnetSet& set) {
  if (!looks_up(rule, name_of(set))) return false;
  return (set.use == Use::masquerade ? rule.not_destination : rule.source) == set.subnet;
}

/// The rules of the chains that sets have theirs in, each chain read once.
class Chains {
 public:
  explicit Chains(NetlinkSocket& socket) : socket_(socket) {}
  const std::vector<NftListedRule>& rules(const NftSubnetSet& set) {
    const auto [chain, is_new] = chains_.try_emplace(kind_of(set).chain);
    if (is_new) {
      chain->second = list_rules(socket_, {nft_family(NftTable::inet), kNftTable, chain->first});
    }
    return chain->second;
  }

 private:
  NetlinkSocket& socket_;
  std::map<std::string, std::vector<NftListedRule>> chains_;
};

void put_rule_removal(NftBatch& batch, const NftSubnetSet& set, const NftListedRule& rule) {
  nlmsghdr* message = batch.add(NFT_MSG_DELRULE, 0);
  put_text(message, NFTA_RULE_TABLE, kNftTable);
  put_text(message, NFTA_RULE_CHAIN, kind_of(set).chain);
  put_u64(message, NFTA_RULE_HANDLE, htobe64(rule.handle));
}

}  // namespace

bool has_subnet_sets(const IpNet& subnet) {
  return subnet.prefix_length() != 0 && subnet.prefix_length() != subnet.address().bits();
}

std::string name_of(const NftSubnetSet& set) {
  std::string name(kind_of(set).prefix);
  name += set.subnet.str();
  std::ranges::replace(name, ':', '-');
  return name;
}

std::optional<NftSubnetSet> find_subnet_set(const std::string& set) {
  const auto kind =
      std::ranges::find_if(kKinds, [&](const Kind& each) { return set.starts_with(each.prefix); });
  if (kind == std::end(kKinds)) return std::nullopt;
  std::string subnet = set.substr(kind->prefix.size());
  std::ranges::replace(subnet, '-', ':');
  const auto net = IpNet::parse(subnet);
  if (!net || *net != net->masked() || !has_subnet_sets(*net)) return std::nullopt;
  return NftSubnetSet{kind->use, *net};
}

std::vector<NftSubnetSet> subnet_sets_of(const std::vector<NftElement>& elements) {
  std::vector<NftSubnetSet> sets;
  for (const NftElement& element : elements) {
    const auto set = find_subnet_set(element.set);
    if (set && std::ranges::find(sets, *set) == sets.end()) sets.push_back(*set);
  }
  return sets;
}

const char* base_set_of(const NftSubnetSet& set) { return kind_of(set).base_set; }

void write_subnet_set(NftBaseWriter& base, const NftSubnetSet& set) {
  base.set(name_of(set).c_str(), {key_of(set)}, kind_of(set).comment);
  base.rule(rule_of(set));
}

std::vector<NftSubnetSet> without_rule(NetlinkSocket& socket, std::vector<NftSubnetSet> sets) {
  Chains chains(socket);
  std::erase_if(sets, [&](const NftSubnetSet& set) {
    return std::ranges::any_of(chains.rules(set),
                               [&](const NftListedRule& rule) { return is_rule_of(rule, set); });
  });
  return sets;
}

void put_subnet_sets(NetlinkSocket& socket, NftBatch& batch, std::span<const NftSubnetSet> sets) {
  Chains chains(socket);
  std::uint32_t id = 0;
  for (const NftSubnetSet& set : sets) {
    put_set(batch.add(NFT_MSG_NEWSET, NLM_F_CREATE), name_of(set).c_str(), {key_of(set)}, ++id,
            kind_of(set).comment);
    for (const NftListedRule& rule : chains.rules(set)) {
      if (looks_up(rule, name_of(set))) put_rule_removal(batch, set, rule);
    }
    rule_of(set).put(batch.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND));
  }
}

void put_subnet_set_removal(NetlinkSocket& socket, NftBatch& batch, const NftSubnetSet& set) {
  const std::string name = name_of(set);
  for (const NftListedRule& rule : Chains(socket).rules(set)) {
    if (looks_up(rule, name)) put_rule_removal(batch, set, rule);
  }
  nlmsghdr* message = batch.add(NFT_MSG_DELSET, 0);
  put_text(message, NFTA_SET_TABLE, kNftTable);
  put_text(message, NFTA_SET_NAME, name);
}

std::vector<NftSubnetSet> list_subnet_sets(NetlinkSocket& socket) {
  Question question;
  nlmsghdr* request = question.message();
  put_nft_header(request, NFT_MSG_GETSET, nft_family(NftTable::inet));
  request->nlmsg_flags = NLM_F_DUMP;
  put_text(request, NFTA_SET_TABLE, kNftTable);
  std::vector<NftSubnetSet> sets;
  const int error = socket.ask(request, NetlinkSocket::Expect::dump, [&](const nlmsghdr* message) {
    for_each_attribute(message, sizeof(nfgenmsg), [&](std::uint16_t type, const nlattr* value) {
      if (type != NFTA_SET_NAME) return;
      if (const auto set = find_subnet_set(text_of(value))) sets.push_back(*set);
    });
  });
  if (error != 0 && error != ENOENT) {
    throw system_error(error,
                       fmt::format("list the sets of table {}", nft_table_name(NftTable::inet)));
  }
  return sets;
}

}  // namespace unicni::net
