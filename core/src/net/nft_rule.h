// Rules of our bases, put together expression by expression as nft(8) does it, so that nft lists
// them as it would its own.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <string>
#include <vector>

#include "net/nft_owned.h"
#include "unicni/ip.h"

namespace unicni::net {

/// Bytes of a packet: linux/netfilter/nf_tables.h, nft_payload_bases. Or, with kNftMeta as `base`,
/// what the kernel knows of it: then `offset` is one of nft_meta_keys.
struct NftField {
  std::uint32_t base;
  std::uint32_t offset;
  std::uint32_t size;
};
inline constexpr std::uint32_t kNftMeta = 0xffff;
namespace nft_field {
NftField ip_source(Family family);
NftField ip_destination(Family family);
NftField input_name();  ///< iifname, in a key 16 bytes
NftField ether_source();
NftField arp_sender_mac();  ///< behind protocol(ETH_P_ARP) only
}  // namespace nft_field

/// Conditions first, then one verdict:
///   NftRule("source_nat").family(Family::v4).fields_in({ip_source}, "masq4").go_to("masq_net4")
class NftRule {
 public:
  explicit NftRule(const std::string& chain);

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

  NftRule& go_to(const std::string& chain);
  NftRule& jump(const std::string& chain);
  NftRule& returns();
  NftRule& drop();
  NftRule& masquerade();

  /// The attributes of NFT_MSG_NEWRULE.
  void put(nlmsghdr* message) const;

 private:
  nftnl_expr* add(const char* expression);
  void load(const NftField& field, std::uint32_t reg);
  nftnl_expr* look_up(const std::vector<NftField>& fields, const std::string& set);
  void compare(std::uint32_t registers, const void* data, std::uint32_t size);
  NftRule& verdict(int code, const char* chain);

  NftOwned<nftnl_rule> rule_;
};

}  // namespace unicni::net
