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
#include "unicni/error.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net {
namespace {

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

std::string rule(const std::string& table, const std::string& chain, const NftCondition& condition,
                 const std::string& verdict) {
  return fmt::format("add rule {} {} {} {}\n", table, chain, condition.text, verdict);
}

}  // namespace

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
              "what nft(8) takes in a rule before its verdict, such as \"ip\", \"saddr\", "
              "\"192.0.2.0/24\"");
}

void write_conditions(const std::vector<NftCondition>& conditions) {
  if (conditions.empty()) return;
  const std::string table = nft_table_name(NftTable::inet);
  std::string commands;
  for (const NftCondition& condition : conditions) {
    commands += fmt::format("add chain {0} {1}\nflush chain {0} {1}\n", table, condition.chain);
    commands += rule(table, condition.chain, condition,
                     fmt::format("goto {}", nft_ports_behind_condition(condition.family)));
  }
  const std::string complaint = Parser().run(commands, false);
  if (!complaint.empty()) {
    throw Error(Code::internal, fmt::format("write conditions of published ports: {}", complaint));
  }
}

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
  const std::string next = nft_ports_behind_condition(family_of(element));
  if (lacks(next, kMaps)) return fault(next);
  return std::nullopt;
}

bool is_condition_idle(NetlinkSocket& socket, const std::string& chain, std::size_t elements) {
  const NftChainName name{NFPROTO_INET, kNftTable, chain};
  const auto found = find_chains(socket, {name});
  return found[0] && found[0]->use <= list_rules(socket, name).size() + elements;
}

void put_condition_removal(NftBatch& batch, const std::string& chain) {
  nl_msg* flush = batch.add(NFT_MSG_DELRULE, 0);
  put_text(flush, NFTA_RULE_TABLE, kNftTable);
  put_text(flush, NFTA_RULE_CHAIN, chain);
  nl_msg* removal = batch.add(NFT_MSG_DELCHAIN, 0);
  put_text(removal, NFTA_CHAIN_TABLE, kNftTable);
  put_text(removal, NFTA_CHAIN_NAME, chain);
}

}  // namespace unicni::net
