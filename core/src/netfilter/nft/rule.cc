#include "netfilter/nft/rule.h"

#include <endian.h>
#include <fmt/core.h>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <array>
#include <new>

#include "netfilter/nft/base.h"

namespace unicni::net {
namespace nft_field {

/// Offsets within the IP header: RFC 791 and RFC 8200.
NftField ip_source(Family family) {
  return family == Family::v4 ? NftField{NFT_PAYLOAD_NETWORK_HEADER, 12, 4}
                              : NftField{NFT_PAYLOAD_NETWORK_HEADER, 8, 16};
}

NftField ip_destination(Family family) {
  return family == Family::v4 ? NftField{NFT_PAYLOAD_NETWORK_HEADER, 16, 4}
                              : NftField{NFT_PAYLOAD_NETWORK_HEADER, 24, 16};
}

NftField input_name() { return {kNftMeta, NFT_META_IIFNAME, IFNAMSIZ}; }
NftField output_name() { return {kNftMeta, NFT_META_OIFNAME, IFNAMSIZ}; }
NftField l4_protocol() { return {kNftMeta, NFT_META_L4PROTO, 1}; }
/// TCP, UDP and SCTP have their ports at the same place.
NftField source_port() { return {NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2}; }
NftField destination_port() { return {NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2}; }
NftField hop_limit() { return {NFT_PAYLOAD_NETWORK_HEADER, 7, 1}; }
NftField icmp6_type() { return {NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1}; }
NftField ether_source() { return {NFT_PAYLOAD_LL_HEADER, 6, 6}; }
/// ARP for Ethernet and IPv4: hardware address of the sender, behind 8 bytes of types and lengths.
NftField arp_sender_mac() { return {NFT_PAYLOAD_NETWORK_HEADER, 8, 6}; }

std::vector<NftField> endpoint(Family family) {
  return {ip_destination(family), l4_protocol(), destination_port()};
}

std::vector<NftField> endpoint_and_sender(Family family, int prefix) {
  return {ip_destination(family), l4_protocol(), destination_port(), ip_source(family).cut(prefix)};
}

}  // namespace nft_field

namespace {

// Sixteen registers of 4 bytes; the first one is the same memory as NFT_REG_1.
constexpr std::uint32_t kFirstRegister = NFT_REG32_00;

}  // namespace

NftRule::NftRule(const std::string& chain, const char* table) : rule_(own(nftnl_rule_alloc())) {
  nftnl_rule_set_str(rule_.get(), NFTNL_RULE_TABLE, table != nullptr ? table : kNftTable);
  nftnl_rule_set_str(rule_.get(), NFTNL_RULE_CHAIN, require_nft_name(chain));
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

// As nft writes it in an inet chain. It leaves it out of its list where a field of the family
// follows.
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

/// A meta key is a number, a payload is base, offset and length. Both put their bytes into a
/// register.
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
  constexpr int kBitsOfByte = 8;
  if (field.prefix >= 0 && field.prefix < static_cast<int>(field.size) * kBitsOfByte) {
    keep_prefix(reg, field.size, field.prefix);
  }
}

void NftRule::keep_prefix(std::uint32_t reg, std::uint32_t size, int bits) {
  std::array<std::uint8_t, 16> mask{};
  for (int bit = 0; bit < bits; ++bit) {
    auto& byte = mask[static_cast<std::size_t>(bit) / 8];
    byte = static_cast<std::uint8_t>(byte | 0x80U >> (static_cast<unsigned>(bit) % 8));
  }
  constexpr std::array<std::uint8_t, 16> kNoXor{};
  nftnl_expr* bitwise = add("bitwise");
  nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_SREG, reg);
  nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_DREG, reg);
  nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
  nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_LEN, size);
  nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_MASK, mask.data(), size);
  nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_XOR, kNoXor.data(), size);
}

/// Each field of a concatenation begins at a whole register. The kernel clears the rest of the last
/// one that a load touches (nft_payload_eval, nft_meta_get_eval), so the padding of keys is zeros.
nftnl_expr* NftRule::look_up(const std::vector<NftField>& fields, const std::string& set) {
  std::uint32_t at = kFirstRegister;
  for (const NftField& field : fields) {
    load(field, at);
    at += (field.size + 3) / 4;
  }
  nftnl_expr* lookup = add("lookup");
  nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_SREG, kFirstRegister);
  nftnl_expr_set_str(lookup, NFTNL_EXPR_LOOKUP_SET, require_nft_name(set));
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
  if (masked) keep_prefix(kFirstRegister, field.size, net.prefix_length());
  compare(kFirstRegister, network.data(), masked ? field.size : whole_bytes);
  return *this;
}

NftRule& NftRule::field_is(const NftField& field, std::uint8_t value) {
  load(field, kFirstRegister);
  compare(kFirstRegister, &value, sizeof value);
  return *this;
}

// (register & keep) ^ flip: nft_bitwise_eval.
void NftRule::mask(std::uint32_t keep, std::uint32_t flip) {
  nftnl_expr* bitwise = add("bitwise");
  nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_SREG, kFirstRegister);
  nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_DREG, kFirstRegister);
  nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
  nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_LEN, sizeof keep);
  nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_MASK, &keep, sizeof keep);
  nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_XOR, &flip, sizeof flip);
}

/// "Has one of these bits": the mask has cut out all others.
void NftRule::require_not_zero() {
  constexpr std::uint32_t kZero = 0;
  nftnl_expr* cmp = add("cmp");
  nftnl_expr_set_u32(cmp, NFTNL_EXPR_CMP_SREG, kFirstRegister);
  nftnl_expr_set_u32(cmp, NFTNL_EXPR_CMP_OP, NFT_CMP_NEQ);
  nftnl_expr_set(cmp, NFTNL_EXPR_CMP_DATA, &kZero, sizeof kZero);
}

// Asks the routing tables what the address is to this host (nft_fib4_eval_type), so that addresses
// which come and go need no element.
NftRule& NftRule::destination_is_local() {
  constexpr std::uint32_t kLocal = RTN_LOCAL;
  nftnl_expr* fib = add("fib");
  nftnl_expr_set_u32(fib, NFTNL_EXPR_FIB_DREG, kFirstRegister);
  nftnl_expr_set_u32(fib, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
  nftnl_expr_set_u32(fib, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
  compare(kFirstRegister, &kLocal, sizeof kLocal);
  return *this;
}

// Of a packet without connection the state is "invalid" or "untracked", and any other key ends the
// rule (nft_ct_get_eval).
NftRule& NftRule::ct_has(std::uint32_t key, std::uint32_t bits) {
  nftnl_expr* ct = add("ct");
  nftnl_expr_set_u32(ct, NFTNL_EXPR_CT_KEY, key);
  nftnl_expr_set_u32(ct, NFTNL_EXPR_CT_DREG, kFirstRegister);
  mask(bits, 0);
  require_not_zero();
  return *this;
}

NftRule& NftRule::ct_status_has(std::uint32_t bits) { return ct_has(NFT_CT_STATUS, bits); }
NftRule& NftRule::ct_state_has(std::uint32_t bits) { return ct_has(NFT_CT_STATE, bits); }

/// Of the original direction are the packets of who opened the connection; answers are of the other
/// one.
NftRule& NftRule::ct_original_direction(bool original) {
  nftnl_expr* ct = add("ct");
  nftnl_expr_set_u32(ct, NFTNL_EXPR_CT_KEY, NFT_CT_DIRECTION);
  nftnl_expr_set_u32(ct, NFTNL_EXPR_CT_DREG, kFirstRegister);
  const std::uint8_t direction = original ? 0 : 1;  // enum ip_conntrack_dir
  compare(kFirstRegister, &direction, sizeof direction);
  return *this;
}

NftRule& NftRule::mark_has(std::uint32_t bits) {
  load({kNftMeta, NFT_META_MARK, sizeof bits}, kFirstRegister);
  mask(bits, 0);
  require_not_zero();
  return *this;
}

/// All of these bits, where mark_has() takes any.
NftRule& NftRule::mark_is(std::uint32_t bits) {
  load({kNftMeta, NFT_META_MARK, sizeof bits}, kFirstRegister);
  mask(bits, 0);
  compare(kFirstRegister, &bits, sizeof bits);
  return *this;
}

// nft's form of `mark | bits` and `mark & ~bits`, so that it lists them as these.
NftRule& NftRule::change_mark(std::uint32_t keep, std::uint32_t flip) {
  load({kNftMeta, NFT_META_MARK, sizeof keep}, kFirstRegister);
  mask(keep, flip);
  nftnl_expr* meta = add("meta");
  nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, NFT_META_MARK);
  nftnl_expr_set_u32(meta, NFTNL_EXPR_META_SREG, kFirstRegister);
  return *this;
}

NftRule& NftRule::set_mark_bits(std::uint32_t bits) { return change_mark(~bits, bits); }
NftRule& NftRule::clear_mark_bits(std::uint32_t bits) { return change_mark(~bits, 0); }

// The map's data is the verdict; a key that it doesn't have ends the rule (nft_lookup_eval).
NftRule& NftRule::verdict_of(const std::vector<NftField>& fields, const std::string& map) {
  nftnl_expr_set_u32(look_up(fields, map), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
  return *this;
}

NftRule& NftRule::dnat_of(Family family, const std::vector<NftField>& fields,
                          const std::string& map) {
  nftnl_expr_set_u32(look_up(fields, map), NFTNL_EXPR_LOOKUP_DREG, kFirstRegister);
  // The map's data fills registers from the first one on: the address, then the port.
  const std::uint32_t address_registers = family == Family::v4 ? 1 : 4;
  nftnl_expr* nat = add("nat");
  nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
  nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_FAMILY,
                     family == Family::v4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
  nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_REG_ADDR_MIN, kFirstRegister);
  nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_REG_PROTO_MIN, kFirstRegister + address_registers);
  return *this;
}

/// Counts what comes so far in the rule, so it stands behind the matches.
NftRule& NftRule::counter() {
  add("counter");
  return *this;
}

NftRule& NftRule::accept() { return verdict(NF_ACCEPT, nullptr); }

NftRule& NftRule::comment(const std::string& text) {
  const NftUserdata userdata(NFTNL_UDATA_RULE_COMMENT, text);
  nftnl_rule_set_data(rule_.get(), NFTNL_RULE_USERDATA, userdata.data(), userdata.size());
  return *this;
}

NftRule& NftRule::verdict(int code, const char* chain) {
  nftnl_expr* immediate = add("immediate");
  nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
  if (chain != nullptr) {
    nftnl_expr_set_str(immediate, NFTNL_EXPR_IMM_CHAIN, require_nft_name(chain));
  }
  nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code));
  return *this;
}

NftRule& NftRule::go_to(const std::string& chain) { return verdict(NFT_GOTO, chain.c_str()); }
NftRule& NftRule::jump(const std::string& chain) { return verdict(NFT_JUMP, chain.c_str()); }
NftRule& NftRule::returns() { return verdict(NFT_RETURN, nullptr); }
NftRule& NftRule::drop() { return verdict(NF_DROP, nullptr); }

/// The kernel takes the address of the link by which the packet leaves, and forgets the connection
/// when that link goes down.
NftRule& NftRule::masquerade() {
  add("masq");
  return *this;
}

void NftRule::put(nl_msg* message) const {
  put_object(message, nftnl_rule_nlmsg_build_payload, rule_.get());
}

}  // namespace unicni::net
