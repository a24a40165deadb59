#include "net/nft_rule.h"

#include <endian.h>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <new>

#include "net/nft_base.h"

namespace unicni::net {
namespace nft_field {

NftField ip_source(Family family) {
  return family == Family::v4 ? NftField{NFT_PAYLOAD_NETWORK_HEADER, 12, 4}
                              : NftField{NFT_PAYLOAD_NETWORK_HEADER, 8, 16};
}

NftField ip_destination(Family family) {
  return family == Family::v4 ? NftField{NFT_PAYLOAD_NETWORK_HEADER, 16, 4}
                              : NftField{NFT_PAYLOAD_NETWORK_HEADER, 24, 16};
}

NftField input_name() { return {kNftMeta, NFT_META_IIFNAME, IFNAMSIZ}; }
NftField ether_source() { return {NFT_PAYLOAD_LL_HEADER, 6, 6}; }
NftField arp_sender_mac() { return {NFT_PAYLOAD_NETWORK_HEADER, 8, 6}; }

}  // namespace nft_field

namespace {

// Sixteen registers of 4 bytes; the first one is the same memory as NFT_REG_1.
constexpr std::uint32_t kFirstRegister = NFT_REG32_00;

}  // namespace

NftRule::NftRule(const std::string& chain) : rule_(own(nftnl_rule_alloc())) {
  nftnl_rule_set_str(rule_.get(), NFTNL_RULE_TABLE, kNftTable);
  nftnl_rule_set_str(rule_.get(), NFTNL_RULE_CHAIN, chain.c_str());
}

nftnl_expr* NftRule::add(const char* expression) {
  nftnl_expr* added = nftnl_expr_alloc(expression);
  if (added == nullptr) throw std::bad_alloc();
  nftnl_rule_add_expr(rule_.get(), added);  // the rule owns it from here
  return added;
}

void NftRule::compare(std::uint32_t registers, const void* data, std::uint32_t size) {
  nftnl_expr* cmp = add("cmp");
  nftnl_expr_set_u32(cmp, NFTNL_EXPR_CMP_SREG, registers);
  nftnl_expr_set_u32(cmp, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
  nftnl_expr_set(cmp, NFTNL_EXPR_CMP_DATA, data, size);
}

NftRule& NftRule::family(Family family) {
  load({kNftMeta, NFT_META_NFPROTO, 1}, kFirstRegister);
  const std::uint8_t protocol = family == Family::v4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
  compare(kFirstRegister, &protocol, sizeof protocol);
  return *this;
}

NftRule& NftRule::protocol(std::uint16_t ether_type) {
  load({kNftMeta, NFT_META_PROTOCOL, sizeof ether_type}, kFirstRegister);
  const std::uint16_t wire = htobe16(ether_type);
  compare(kFirstRegister, &wire, sizeof wire);
  return *this;
}

void NftRule::load(const NftField& field, std::uint32_t reg) {
  if (field.base == kNftMeta) {
    nftnl_expr* meta = add("meta");
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, field.offset);
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_DREG, reg);
    return;
  }
  nftnl_expr* payload = add("payload");
  nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_DREG, reg);
  nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_BASE, field.base);
  nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_OFFSET, field.offset);
  nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_LEN, field.size);
}

nftnl_expr* NftRule::look_up(const std::vector<NftField>& fields, const std::string& set) {
  std::uint32_t at = kFirstRegister;
  for (const NftField& field : fields) {
    load(field, at);
    at += (field.size + 3) / 4;
  }
  nftnl_expr* lookup = add("lookup");
  nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_SREG, kFirstRegister);
  nftnl_expr_set_str(lookup, NFTNL_EXPR_LOOKUP_SET, set.c_str());
  return lookup;
}

NftRule& NftRule::fields_in(const std::vector<NftField>& fields, const std::string& set) {
  look_up(fields, set);
  return *this;
}

NftRule& NftRule::fields_not_in(const std::vector<NftField>& fields, const std::string& set) {
  nftnl_expr_set_u32(look_up(fields, set), NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
  return *this;
}

NftRule& NftRule::field_within(NftField field, const IpNet& net) {
  // A prefix of whole bytes is compared without a mask, as nft does.
  const auto whole_bytes = static_cast<std::uint32_t>(net.prefix_length()) / 8;
  const bool masked = net.prefix_length() % 8 != 0;
  load({field.base, field.offset, masked ? field.size : whole_bytes}, kFirstRegister);
  const IpAddress network = net.network();
  if (masked) {
    std::array<std::uint8_t, 16> mask{};
    for (int bit = 0; bit < net.prefix_length(); ++bit) {
      auto& byte = mask[static_cast<std::size_t>(bit) / 8];
      byte = static_cast<std::uint8_t>(byte | 0x80U >> (static_cast<unsigned>(bit) % 8));
    }
    constexpr std::array<std::uint8_t, 16> kNoXor{};
    nftnl_expr* bitwise = add("bitwise");
    nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_SREG, kFirstRegister);
    nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_DREG, kFirstRegister);
    nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_LEN, field.size);
    nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_MASK, mask.data(), field.size);
    nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_XOR, kNoXor.data(), field.size);
  }
  compare(kFirstRegister, network.data(), masked ? field.size : whole_bytes);
  return *this;
}

NftRule& NftRule::verdict(int code, const char* chain) {
  nftnl_expr* immediate = add("immediate");
  nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
  if (chain != nullptr) nftnl_expr_set_str(immediate, NFTNL_EXPR_IMM_CHAIN, chain);
  nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code));
  return *this;
}

NftRule& NftRule::go_to(const std::string& chain) { return verdict(NFT_GOTO, chain.c_str()); }
NftRule& NftRule::jump(const std::string& chain) { return verdict(NFT_JUMP, chain.c_str()); }
NftRule& NftRule::returns() { return verdict(NFT_RETURN, nullptr); }
NftRule& NftRule::drop() { return verdict(NF_DROP, nullptr); }

NftRule& NftRule::masquerade() {
  add("masq");
  return *this;
}

void NftRule::put(nlmsghdr* message) const { nftnl_rule_nlmsg_build_payload(message, rule_.get()); }

}  // namespace unicni::net
