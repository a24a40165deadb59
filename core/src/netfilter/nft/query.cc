// Questions about the ruleset that change nothing. Answers are parsed here from the attributes,
// since libnftnl would build an object for each rule of a table that may have thousands.
#include "netfilter/nft/query.h"

#include <endian.h>
#include <fmt/core.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_multiport.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "net/attribute.h"
#include "net/single_request.h"
#include "netfilter/harmless_target.h"
#include "netfilter/nft/batch.h"
#include "netfilter/nft/owned.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

/// nf_tables sends its numbers in network byte order, unlike rtnetlink.
std::uint32_t number_of(const nlattr* value) { return be32toh(value_of<std::uint32_t>(value)); }

/// A dormant table is there with all its rules, and none of them is in force.
NftTableState parse_table(const nlmsghdr* message) {
  NftTableState state;
  for_each_attribute(message, sizeof(nfgenmsg), [&](std::uint16_t type, const nlattr* value) {
    if (type == NFTA_TABLE_FLAGS) state.flags = number_of(value);
    if (type == NFTA_TABLE_USERDATA) {
      state.comment = nft_comment_of(value, NFTNL_UDATA_TABLE_COMMENT);
    }
  });
  state.dormant = (state.flags & NFT_TABLE_F_DORMANT) != 0;
  return state;
}

NftChainState parse_chain(const nlmsghdr* message) {
  NftChainState state;
  for_each_attribute(message, sizeof(nfgenmsg), [&](std::uint16_t type, const nlattr* value) {
    if (type == NFTA_CHAIN_USE) state.use = number_of(value);
    if (type == NFTA_CHAIN_POLICY) state.drops = number_of(value) == NF_DROP;
    if (type != NFTA_CHAIN_HOOK) return;
    state.hooked = true;
    for_each_attribute(value, [&](std::uint16_t part, const nlattr* number) {
      if (part == NFTA_HOOK_HOOKNUM) state.hook = number_of(number);
      if (part == NFTA_HOOK_PRIORITY) state.priority = static_cast<std::int32_t>(number_of(number));
    });
  });
  return state;
}

constexpr std::size_t kChainQuestion = 640;  // two names of 255 bytes at most

bool is_possible(const NftChainName& chain) {
  return is_nft_name(chain.table) && is_nft_name(chain.chain);
}

void ask_for_chain(MessageBuffer& requests, const NftChainName& chain) {
  nl_msg* request = requests.add(0, NLM_F_REQUEST, kChainQuestion);
  put_nft_header(request, NFT_MSG_GETCHAIN, chain.family);
  put_text(request, NFTA_CHAIN_TABLE, chain.table);
  put_text(request, NFTA_CHAIN_NAME, chain.chain);
}

void require_found_or_absent(int error, const std::string& what) {
  if (error != 0 && error != ENOENT) throw system_error(error, "look for " + what);
}

/// Of an address's first bytes; `size` is 4 or 16.
IpAddress address_from(std::string_view bytes, std::size_t size) {
  std::array<std::uint8_t, 16> raw{};
  std::copy(bytes.begin(), bytes.end(), raw.begin());
  if (size == raw.size()) return IpAddress::v6(raw);
  return IpAddress::v4(std::uint32_t{raw[0]} << 24U | std::uint32_t{raw[1]} << 16U |
                       std::uint32_t{raw[2]} << 8U | raw[3]);
}

/// As it is on the wire.
std::optional<std::uint16_t> port_from(std::string_view bytes) {
  if (bytes.size() != 2) return std::nullopt;
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[0]) << 8U |
                                    static_cast<std::uint8_t>(bytes[1]));
}

/// Reads a rule's expressions from left to right.
/// The kernel runs expressions on registers (nft_do_chain): a payload or meta loads one, bitwise
/// cuts bits out of it, cmp compares. What we look for is written in one way by nft and
/// iptables-nft, so the last load is remembered and nothing else; what is unknown leaves the rule
/// without that field.
class RuleReader {
 public:
  explicit RuleReader(NftListedRule& rule) : rule_(rule) {}

  void expression(const nlattr* expression) {
    std::string name;
    const nlattr* data = nullptr;
    for_each_attribute(expression, [&](std::uint16_t type, const nlattr* value) {
      if (type == NFTA_EXPR_NAME) name = text_of(value);
      if (type == NFTA_EXPR_DATA) data = value;
    });
    // Both end the packet's way here, or may do so.
    if (name == "reject" || name == "queue") rule_.may_drop = true;
    if (data == nullptr) return;
    if (name == "target") target(data);
    if (name == "meta") meta(data);
    if (name == "payload") payload(data);
    if (name == "bitwise") bitwise(data);
    if (name == "cmp") compare(data);
    if (name == "immediate") immediate(data);
    if (name == "nat") {
      rule_.dnat_to = loaded_;
      rule_.dnat_port = loaded_port_;
    }
    if (name == "match") match(data);
  }

 private:
  void meta(const nlattr* data) {
    address_size_ = 0;
    transport_ = Transport::none;
    mark_loaded_ = false;
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* value) {
      if (type != NFTA_META_KEY) return;
      mark_loaded_ = number_of(value) == NFT_META_MARK;
      if (number_of(value) == NFT_META_L4PROTO) transport_ = Transport::protocol;
    });
    mark_mask_ = 0;
  }

  void payload(const nlattr* data) {
    mark_loaded_ = false;
    std::array<std::uint32_t, NFTA_PAYLOAD_MAX + 1> part{};
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* value) {
      if (type < part.size()) part[type] = number_of(value);
    });
    const std::uint32_t size = part[NFTA_PAYLOAD_LEN];
    const bool transport = part[NFTA_PAYLOAD_BASE] == NFT_PAYLOAD_TRANSPORT_HEADER;
    // TCP, UDP and SCTP alike.
    const bool is_port = transport && part[NFTA_PAYLOAD_OFFSET] == 2 && size == 2;
    transport_ = is_port ? Transport::port : Transport::none;
    const bool network = part[NFTA_PAYLOAD_BASE] == NFT_PAYLOAD_NETWORK_HEADER;
    // Where the addresses of both IP headers begin: 12 and 16 of IPv4, 8 and 24 of IPv6. A prefix
    // of whole bytes is a shorter load without a mask. An IPv4 header's 8 to 11 are no address.
    address_size_ = 0;
    if (network && part[NFTA_PAYLOAD_OFFSET] == 12 && size <= 4) address_size_ = 4;
    if (network && part[NFTA_PAYLOAD_OFFSET] == 8 && size > 4 && size <= 16) address_size_ = 16;
    is_source_ = address_size_ != 0;
    if (network && part[NFTA_PAYLOAD_OFFSET] == 16 && size <= 4) address_size_ = 4;
    if (network && part[NFTA_PAYLOAD_OFFSET] == 24 && size <= 16) address_size_ = 16;
    prefix_ = static_cast<int>(size) * 8;
  }

  // A prefix that is no whole number of bytes is a load of more bytes and a mask. The ones of the
  // mask are its length.
  void bitwise(const nlattr* data) {
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* value) {
      if (type != NFTA_BITWISE_MASK) return;
      prefix_ = 0;
      for_each_attribute(value, [&](std::uint16_t, const nlattr* mask) {
        if (mark_loaded_) mark_mask_ = value_of<std::uint32_t>(mask);
        for (const char byte : bytes_of(mask)) {
          prefix_ += __builtin_popcount(static_cast<std::uint8_t>(byte));
        }
      });
    });
  }

  void compare(const nlattr* data) {
    std::uint32_t op = NFT_CMP_NEQ;
    std::string_view bytes;
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* value) {
      if (type == NFTA_CMP_OP) op = number_of(value);
      if (type == NFTA_CMP_DATA) {
        for_each_attribute(value, [&](std::uint16_t, const nlattr* raw) { bytes = bytes_of(raw); });
      }
    });
    if (op == NFT_CMP_EQ && mark_loaded_ && bytes.size() == sizeof mark_mask_) {
      std::uint32_t wanted = 0;
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&wanted));
      if (wanted == mark_mask_) rule_.mark = wanted;
    }
    if (op == NFT_CMP_EQ && address_size_ != 0 && bytes.size() <= address_size_) {
      (is_source_ ? rule_.source : rule_.destination) =
          IpNet(address_from(bytes, address_size_), prefix_);
    }
    if (op == NFT_CMP_EQ && transport_ == Transport::protocol && !bytes.empty()) {
      rule_.protocol = static_cast<std::uint8_t>(bytes[0]);
    }
    if (op == NFT_CMP_EQ && transport_ == Transport::port) rule_.port = port_from(bytes);
    address_size_ = 0;
    transport_ = Transport::none;
  }

  /// A match of iptables.
  void match(const nlattr* data) {
    std::string name;
    std::string_view info;
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* value) {
      if (type == NFTA_MATCH_NAME) name = text_of(value);
      if (type == NFTA_MATCH_INFO) info = bytes_of(value);
    });
    xt_multiport_v1 multiport{};
    if (name != "multiport" || info.size() < sizeof multiport) return;
    std::memcpy(&multiport, info.data(), sizeof multiport);
    const std::size_t count = std::min<std::size_t>(multiport.count, XT_MULTI_PORTS);
    rule_.ports.assign(multiport.ports, multiport.ports + count);
  }

  /// An extension of iptables.
  void target(const nlattr* data) {
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* value) {
      if (type == NFTA_TARGET_NAME) rule_.may_drop = !is_harmless_target(text_of(value));
    });
  }

  // A value (address or port of a DNAT) or a verdict: accept, drop, jump or goto with the chain's
  // name.
  void immediate(const nlattr* data) {
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* value) {
      if (type != NFTA_IMMEDIATE_DATA) return;
      for_each_attribute(value, [&](std::uint16_t kind, const nlattr* verdict) {
        if (kind == NFTA_DATA_VALUE) {
          const std::string_view bytes = bytes_of(verdict);
          if (bytes.size() == 4 || bytes.size() == 16) loaded_ = address_from(bytes, bytes.size());
          if (bytes.size() == 2) loaded_port_ = port_from(bytes);
        }
        if (kind != NFTA_DATA_VERDICT) return;
        for_each_attribute(verdict, [&](std::uint16_t part, const nlattr* chain) {
          if (part == NFTA_VERDICT_CHAIN) rule_.target = text_of(chain);
          if (part == NFTA_VERDICT_CODE) {
            rule_.accepts = number_of(chain) == NF_ACCEPT;
            rule_.may_drop = number_of(chain) == NF_DROP;
          }
        });
      });
    });
  }

  NftListedRule& rule_;
  bool mark_loaded_ = false;      // the packet's mark is in the register
  std::uint32_t mark_mask_ = 0;   // what was cut out of it
  std::size_t address_size_ = 0;  // of the address in the register; 0: something else is there
  bool is_source_ = false;        // that address
  /// What of the transport is in the register.
  enum class Transport : unsigned char { none, protocol, port };
  Transport transport_ = Transport::none;
  std::optional<IpAddress> loaded_;  // by the rule itself
  std::optional<std::uint16_t> loaded_port_;
  int prefix_ = 0;
};

NftListedRule parse_rule(const nlmsghdr* message) {
  NftListedRule rule;
  for_each_attribute(message, sizeof(nfgenmsg), [&](std::uint16_t type, const nlattr* value) {
    if (type == NFTA_RULE_HANDLE) rule.handle = be64toh(value_of<std::uint64_t>(value));
    if (type == NFTA_RULE_USERDATA) {
      rule.comment = nft_comment_of(value, NFTNL_UDATA_RULE_COMMENT);
    }
    if (type != NFTA_RULE_EXPRESSIONS) return;
    RuleReader reader(rule);
    for_each_attribute(value, [&](std::uint16_t, const nlattr* one) { reader.expression(one); });
  });
  return rule;
}

/// Of requests that were sent together: each has one answer or an error.
class Replies : public Listener {
 public:
  Replies(std::uint32_t first, std::size_t count,
          const std::function<void(std::size_t, const nlmsghdr*)>& each)
      : results(count, kOpen), open(count), first_(first), each_(each) {}

  [[nodiscard]] bool expects(std::uint32_t sequence) const noexcept override {
    const std::size_t index = sequence - first_;
    return index < results.size() && results[index] == kOpen;
  }
  bool on_answer(nl_msg* message) override {
    const nlmsghdr* header = header_of(message);
    const std::size_t index = close(header->nlmsg_seq, 0);
    each_(index, header);
    return true;
  }
  bool on_result(const Acknowledgement& result) override {
    close(result.sequence, result.error);
    return true;
  }

  std::vector<int> results;
  std::size_t open;

 private:
  static constexpr int kOpen = -1;

  std::size_t close(std::uint32_t sequence, int error) {
    const std::size_t index = sequence - first_;
    results[index] = error;
    --open;
    return index;
  }

  std::uint32_t first_;
  const std::function<void(std::size_t, const nlmsghdr*)>& each_;
};

}  // namespace

// The kernel answers in the order of the requests; each answer has the number of its own. A
// question without NLM_F_ACK has one answer, its object or an error.
std::vector<int> ask_together(NetlinkSocket& socket, MessageBuffer& requests,
                              const std::function<void(std::size_t, const nlmsghdr*)>& each) {
  if (requests.count() == 0) return {};
  const std::uint32_t first = socket.take_sequence(requests.count());
  requests.number_from(first);
  socket.send(requests.bytes());
  Replies replies(first, requests.count(), each);
  while (replies.open > 0) socket.receive(replies);
  return std::move(replies.results);
}

/// All questions in one send: a round trip for each would cost more than the answers.
NftFound find_table_and_chains(NetlinkSocket& socket, std::uint8_t family, const std::string& table,
                               const std::vector<NftChainName>& chains,
                               const std::vector<std::string>& sets) {
  MessageBuffer requests;
  nl_msg* request = requests.add(0, NLM_F_REQUEST, 384);
  put_nft_header(request, NFT_MSG_GETTABLE, family);
  put_text(request, NFTA_TABLE_NAME, table);
  for (const NftChainName& chain : chains) ask_for_chain(requests, chain);
  for (const std::string& set : sets) {
    request = requests.add(0, NLM_F_REQUEST, kChainQuestion);
    put_nft_header(request, NFT_MSG_GETSET, family);
    put_text(request, NFTA_SET_TABLE, table);
    put_text(request, NFTA_SET_NAME, set);
  }

  NftFound found;
  found.chains.resize(chains.size());
  found.sets.resize(sets.size());
  const auto errors =
      ask_together(socket, requests, [&](std::size_t index, const nlmsghdr* message) {
        if (index == 0) {
          found.table = parse_table(message);
        } else if (index <= chains.size()) {
          found.chains[index - 1] = parse_chain(message);
        } else {
          found.sets[index - 1 - chains.size()] = true;
        }
      });
  for (const int error : errors) require_found_or_absent(error, "nftables table " + table);
  return found;
}

std::vector<std::string> list_set_names(NetlinkSocket& socket, std::uint8_t family,
                                        const std::string& table) {
  SingleRequest request(0, NLM_F_DUMP);
  put_nft_header(request, NFT_MSG_GETSET, family);
  put_text(request, NFTA_SET_TABLE, table);
  std::vector<std::string> names;
  const int error = socket.ask(request, NetlinkSocket::Expect::dump, [&](const nlmsghdr* message) {
    for_each_attribute(message, sizeof(nfgenmsg), [&](std::uint16_t type, const nlattr* value) {
      if (type == NFTA_SET_NAME) names.push_back(text_of(value));
    });
  });
  require_found_or_absent(error, "sets of nftables table " + table);
  return names;
}

std::vector<std::optional<NftChainState>> find_chains(NetlinkSocket& socket,
                                                      const std::vector<NftChainName>& chains) {
  MessageBuffer requests;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < chains.size(); ++i) {
    if (!is_possible(chains[i])) continue;
    ask_for_chain(requests, chains[i]);
    asked.push_back(i);
  }
  std::vector<std::optional<NftChainState>> found(chains.size());
  const auto errors =
      ask_together(socket, requests, [&](std::size_t index, const nlmsghdr* message) {
        found[asked[index]] = parse_chain(message);
      });
  for (std::size_t i = 0; i < errors.size(); ++i) {
    require_found_or_absent(errors[i], "nftables chain " + chains[asked[i]].chain);
  }
  return found;
}

// NFTA_RULE_CHAIN limits the dump to the chain (nf_tables_dump_rules): what else a foreign table
// holds costs nothing.
std::vector<NftListedRule> list_rules(NetlinkSocket& socket, const NftChainName& chain) {
  if (!is_possible(chain)) return {};
  SingleRequest request(0, NLM_F_DUMP);
  put_nft_header(request, NFT_MSG_GETRULE, chain.family);
  put_text(request, NFTA_RULE_TABLE, chain.table);
  put_text(request, NFTA_RULE_CHAIN, chain.chain);
  std::vector<NftListedRule> rules;
  const int error = socket.ask(request, NetlinkSocket::Expect::dump, [&](const nlmsghdr* message) {
    rules.push_back(parse_rule(message));
  });
  if (error == ENOENT) return {};
  if (error != 0) {
    throw system_error(
        error, fmt::format("list the rules of nftables chain {} {}", chain.table, chain.chain));
  }
  return rules;
}

/// Userdata is a row of type, length and value. The kernel keeps it without looking at it; nft and
/// iptables-nft write their comments there.
std::string nft_comment_of(const nlattr* userdata, std::uint8_t type) {
  std::string_view rest = bytes_of(userdata);
  while (rest.size() >= 2) {
    const auto kind = static_cast<std::uint8_t>(rest[0]);
    const std::size_t size = static_cast<std::uint8_t>(rest[1]);
    if (rest.size() < 2 + size) break;
    const std::string_view value = rest.substr(2, size);
    if (kind == type) return std::string(value.substr(0, value.find('\0')));
    rest.remove_prefix(2 + size);
  }
  return {};
}

}  // namespace unicni::net
