// Published ports that only some may connect to: a verdict map leads to the attachment's own chain,
// whose rule holds its condition and goes on to the DNAT. As a port has one owner, these maps and
// those of published_port.cc never know the same port, and the order of the two doesn't matter.
#include "netfilter/nft/condition.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <memory>
#include <string>

#include "netfilter/nft/base.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/part.h"
#include "netfilter/nft/query.h"
#include "netfilter/nft/set.h"
#include "unicni/error.h"
#include "unicni/netfilter/condition.h"
#include "unicni/sha512.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kDnatPriority = -100 + 5;  // NF_IP_PRI_NAT_DST; as published_port.cc

constexpr NftBaseChain kIn{"cond_in", {0, 1, 1}, "nat", NF_INET_PRE_ROUTING, kDnatPriority};
constexpr NftBaseChain kOut{"cond_out", {0, 1, 1}, "nat", NF_INET_LOCAL_OUT, kDnatPriority};
constexpr NftBaseChain kToConditions4{"to_conditions4", {0, 4, 0}};
constexpr NftBaseChain kToConditions6{"to_conditions6", {0, 0, 4}};
constexpr NftBaseChain kToPorts4{"to_cond_ports4", {0, 2, 0}, nullptr, 0, 0, true};
constexpr NftBaseChain kToPorts6{"to_cond_ports6", {0, 0, 2}, nullptr, 0, 0, true};
constexpr NftBaseChain kChains[] = {kIn,       kOut,     kToConditions4, kToConditions6,
                                    kToPorts4, kToPorts6};
constexpr NftSetKind kSets[] = {NftSetKind::cond_at, NftSetKind::cond_any, NftSetKind::cport_at,
                                NftSetKind::cport_any};

/// The chain that a condition goes on to.
const char* ports_behind(Family family) {
  return family == Family::v4 ? kToPorts4.name : kToPorts6.name;
}

/// Two chains, as a condition can't stand inside a DNAT map: the first map leads to the chain of
/// the condition, and that one goes on to the second map, which knows where the port leads.
void write_rules(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  for (const Family family : list(families)) {
    const char* to_conditions = family == Family::v4 ? kToConditions4.name : kToConditions6.name;
    const std::vector<NftField> port = {l4_protocol(), destination_port()};
    const auto of = [&](const char* chain) { return NftRule(chain, family); };
    const auto set = [&](NftSetKind kind) { return nft_set(kind, family).name.c_str(); };
    for (const char* chain : {kIn.name, kOut.name}) {
      base.rule(of(chain).destination_is_local().go_to(to_conditions));
    }
    base.rule(of(to_conditions).verdict_of(endpoint(family), set(NftSetKind::cond_at)));
    base.rule(of(to_conditions).verdict_of(port, set(NftSetKind::cond_any)));
    const char* to_ports = ports_behind(family);
    base.rule(of(to_ports).dnat_of(family, endpoint(family), set(NftSetKind::cport_at)));
    base.rule(of(to_ports).dnat_of(family, port, set(NftSetKind::cport_any)));
  }
}

constexpr const char* kLibrary = "libnftables.so.1";
constexpr const char* kUseOther =
    "install the package libnftables1, or leave conditionsV4 and conditionsV6 out";

struct nft_ctx;

/// libnftables(3). Its functions are looked up by name, as a library that is linked costs every
/// call of the executable.
class Parser {
 public:
  Parser() : library_(::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
    if (library_ == nullptr) {
      const char* why = ::dlerror();
      throw Error(Code::internal, fmt::format("load {}: {}", kLibrary, why != nullptr ? why : "?"),
                  kUseOther);
    }
    const auto make = function<nft_ctx*(std::uint32_t)>("nft_ctx_new");
    free_ = function<void(nft_ctx*)>("nft_ctx_free");
    context_ = make(0);
    if (context_ == nullptr) throw Error(Code::internal, "libnftables gives no context");
    function<int(nft_ctx*)>("nft_ctx_buffer_output")(context_);
    function<int(nft_ctx*)>("nft_ctx_buffer_error")(context_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() {
    if (context_ != nullptr) free_(context_);
  }

  /// As one transaction, which is only tried if `dry`. Returns nft's complaint; empty: done.
  // nft's complaint begins with the place of the error; its first line is enough for a message.
  std::string run(const std::string& commands, bool dry) {
    function<void(nft_ctx*, bool)>("nft_ctx_set_dry_run")(context_, dry);
    if (function<int(nft_ctx*, const char*)>("nft_run_cmd_from_buffer")(context_,
                                                                        commands.c_str()) == 0) {
      return {};
    }
    const char* text = function<const char*(nft_ctx*)>("nft_ctx_get_error_buffer")(context_);
    const std::string complaint = text != nullptr ? text : "";
    return complaint.empty() ? "nft refuses it" : complaint.substr(0, complaint.find('\n'));
  }

 private:
  template <class Signature>
  Signature* function(const char* name) const {
    void* found = ::dlsym(library_, name);
    if (found == nullptr) {
      throw Error(Code::internal, fmt::format("{} has no {}", kLibrary, name), kUseOther);
    }
    return reinterpret_cast<Signature*>(found);
  }

  void* library_;
  void (*free_)(nft_ctx*) = nullptr;
  nft_ctx* context_ = nullptr;
};

/// The text goes into nft's parser, so it was checked to hold none of the characters that end a
/// statement.
std::string rule(const std::string& table, const std::string& chain, const NftCondition& condition,
                 const std::string& verdict) {
  return fmt::format("add rule {} {} {} {}\n", table, chain, condition.text, verdict);
}

}  // namespace

constinit const NftPart kNftConditions{.table = NftTable::inet,
                                       .sets = kSets,
                                       .looked_up = {},
                                       .marker = NftSetKind::cond_at,
                                       .chains = kChains,
                                       .write_rules = write_rules};

NftCondition port_condition(Family family, const std::string& text, const std::string& owner) {
  // Short, as a chain's name has 255 bytes at most, and an owner may have more.
  constexpr std::size_t kDigits = 24;
  return {
      family,
      "condition_" + sha512_hex(owner).substr(0, kDigits) + (family == Family::v4 ? "_4" : "_6"),
      text, nft_owner(owner)};
}

// In a dry run nft leaves the end of the batch out: the kernel checks all of it and commits nothing
// (nfnetlink_rcv_batch).
void require_condition(const NftCondition& condition) {
  // Not of our table: that need not be there yet.
  const std::string table = "inet unicni_dry_run";
  const std::string complaint =
      Parser().run(fmt::format("add table {0}\nadd chain {0} c\n", table) +
                       rule(table, "c", condition, "accept"),
                   true);
  if (complaint.empty()) return;
  throw Error(Code::invalid_config,
              fmt::format("conditionsV{}: \"{}\": {}", condition.family == Family::v4 ? '4' : '6',
                          condition.text, complaint),
              "write what nft(8) takes in a rule before its verdict, such as \"ip\", \"saddr\", "
              "\"192.0.2.0/24\"");
}

void write_conditions(const std::vector<NftCondition>& conditions) {
  if (conditions.empty()) return;
  const std::string table = nft_table_name(NftTable::inet);
  // "add chain" of one that is there does nothing; the flush makes room for another text. All of it
  // is one transaction for the kernel.
  std::string commands;
  for (const NftCondition& condition : conditions) {
    commands += fmt::format("add chain {0} {1}\nflush chain {0} {1}\n", table, condition.chain);
    commands += rule(table, condition.chain, condition,
                     fmt::format("goto {}", ports_behind(condition.family)));
  }
  const std::string complaint = Parser().run(commands, false);
  if (!complaint.empty()) {
    throw Error(Code::internal, fmt::format("write conditions of published ports: {}", complaint));
  }
}

// Elements lead to these chains as well, so that NFTA_CHAIN_USE of an emptied one may be as high as
// before: their rules are listed.
std::optional<std::string> find_goto_fault(NetlinkSocket& socket, const NftElement& element) {
  const auto lacks = [&](const std::string& chain, std::size_t rules) {
    return list_rules(socket, {NFPROTO_INET, kNftTable, chain}).size() < rules;
  };
  const auto fault = [](const std::string& chain) {
    return fmt::format("chain {} of table {} lacks rules", chain, nft_table_name(NftTable::inet));
  };
  if (lacks(element.data, 1)) return fault(element.data);
  if (!is_nft_condition(element)) return std::nullopt;
  constexpr std::size_t kMaps = 2;  // one address, any address
  const std::string next = ports_behind(family_of(element));
  if (lacks(next, kMaps)) return fault(next);
  return std::nullopt;
}

// Use is the chain's own rules and what leads to it.
bool is_condition_idle(NetlinkSocket& socket, const std::string& chain, std::size_t elements) {
  const NftChainName name{NFPROTO_INET, kNftTable, chain};
  const auto found = find_chains(socket, {name});
  return found[0] && found[0]->use <= list_rules(socket, name).size() + elements;
}

/// Emptied first, as the kernel deletes no chain that has rules.
void put_condition_removal(NftBatch& batch, const std::string& chain) {
  nl_msg* flush = batch.add(NFT_MSG_DELRULE, 0);
  put_text(flush, NFTA_RULE_TABLE, kNftTable);
  put_text(flush, NFTA_RULE_CHAIN, chain);
  nl_msg* removal = batch.add(NFT_MSG_DELCHAIN, 0);
  put_text(removal, NFTA_CHAIN_TABLE, kNftTable);
  put_text(removal, NFTA_CHAIN_NAME, chain);
}

}  // namespace unicni::net
