// Rules of our bases, put together expression by expression as nft(8) does it, so that nft lists
// them as it would its own.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <string>
#include <vector>

#include "netfilter/nft/owned.h"
#include "unicni/ip.h"

namespace unicni::net {

/// Bytes of a packet: linux/netfilter/nf_tables.h, nft_payload_bases. Or, with kNftMeta as `base`,
/// what the kernel knows of it: then `offset` is one of nft_meta_keys.
struct NftField {
  std::uint32_t base;
  std::uint32_t offset;
  std::uint32_t size;
  int prefix = -1;  ///< of an address: the bits that count; negative: all
  /// The address with all bits behind the first `bits` cleared.
  [[nodiscard]] NftField cut(int bits) const { return {base, offset, size, bits}; }
};
inline constexpr std::uint32_t kNftMeta = 0xffff;
namespace nft_field {
NftField ip_source(Family family);
NftField ip_destination(Family family);
NftField input_name();   ///< iifname, in a key 16 bytes
NftField output_name();  ///< oifname, in a key 16 bytes
NftField l4_protocol();  ///< meta l4proto
NftField source_port();  ///< "th": behind a look-up of l4_protocol() only
NftField destination_port();
NftField hop_limit();   ///< behind family(Family::v6) only
NftField icmp6_type();  ///< behind field_is(l4_protocol(), IPPROTO_ICMPV6) only
NftField ether_source();
NftField arp_sender_mac();  ///< behind protocol(ETH_P_ARP) only
/// Where a packet goes: address, protocol, port. Behind the DNAT of a published port that is what
/// the port leads to.
std::vector<NftField> endpoint(Family family);
/// The same and the sender's subnet, whose prefix has that length.
std::vector<NftField> endpoint_and_sender(Family family, int prefix);
}  // namespace nft_field

/// Conditions first, then one verdict:
///   NftRule("snat_ports").family(Family::v4).fields_in({ip_source}, "some4").go_to("snat_ports4")
class NftRule {
 public:
  /// `table`: nullptr for our own.
  explicit NftRule(const std::string& chain, const char* table = nullptr);

  /// In our own table, about one family: see family().
  NftRule(const std::string& chain, Family family) : NftRule(chain) { this->family(family); }

  /// meta nfproto. Must stand before any condition on IP fields: an inet chain sees both families.
  NftRule& family(Family family);
  /// meta protocol, of the frame inside VLAN tags: ETH_P_*.
  NftRule& protocol(std::uint16_t ether_type);
  /// The fields, concatenated, are a key of `set`.
  NftRule& fields_in(const std::vector<NftField>& fields, const std::string& set);
  /// They are none.
  NftRule& fields_not_in(const std::vector<NftField>& fields, const std::string& set);
  /// The address in `field` is within `net`.
  NftRule& field_within(NftField field, const IpNet& net);
  /// A field of one byte.
  NftRule& field_is(const NftField& field, std::uint8_t value);
  /// fib daddr type local: the packet is for this host, or was before a later DNAT.
  NftRule& destination_is_local();
  /// ct status, ct state: at least one bit of `bits` is set.
  NftRule& ct_status_has(std::uint32_t bits);
  NftRule& ct_state_has(std::uint32_t bits);
  /// ct direction: the packet goes the way of the connection's first one, or is an answer.
  NftRule& ct_original_direction(bool original);
  /// meta mark: at least one bit of `bits` is set.
  NftRule& mark_has(std::uint32_t bits);
  /// All bits of `bits`, as `-m mark --mark bits/bits` of iptables-nft.
  NftRule& mark_is(std::uint32_t bits);

  NftRule& go_to(const std::string& chain);
  NftRule& jump(const std::string& chain);
  NftRule& returns();
  NftRule& drop();
  NftRule& masquerade();
  /// meta mark: the packet's mark with `bits` set, or cleared; no verdict.
  NftRule& set_mark_bits(std::uint32_t bits);
  NftRule& clear_mark_bits(std::uint32_t bits);
  /// The verdict that `map` has for the fields; none: the next rule.
  NftRule& verdict_of(const std::vector<NftField>& fields, const std::string& map);
  /// dnat to the address and port that `map` has for the fields; none: the next rule.
  NftRule& dnat_of(Family family, const std::vector<NftField>& fields, const std::string& map);
  /// With packet and byte counts, as iptables-nft writes each of its rules.
  NftRule& counter();
  NftRule& accept();
  /// nft(8)'s own, which iptables-nft shows as its match "comment".
  NftRule& comment(const std::string& text);

  /// The attributes of NFT_MSG_NEWRULE.
  void put(nl_msg* message) const;

 private:
  nftnl_expr* add(const char* expression);
  void load(const NftField& field, std::uint32_t reg);
  nftnl_expr* look_up(const std::vector<NftField>& fields, const std::string& set);
  void compare(std::uint32_t registers, const void* data, std::uint32_t size);
  void mask(std::uint32_t keep, std::uint32_t flip);
  /// Of the `size` bytes in a register, the first `bits` stay.
  void keep_prefix(std::uint32_t reg, std::uint32_t size, int bits);
  void require_not_zero();
  NftRule& ct_has(std::uint32_t key, std::uint32_t bits);
  NftRule& change_mark(std::uint32_t keep, std::uint32_t flip);
  NftRule& verdict(int code, const char* chain);

  NftOwned<nftnl_rule> rule_;
};

}  // namespace unicni::net
