// Links that hang on another one, or on none: macvlan, ipvlan, vlan, dummy, ifb, vrf. ip-link(8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/mac.h"
#include "unicni/net/netlink.h"

namespace unicni::net {

/// What all kinds have.
struct LinkSpec {
  std::string name;              ///< in the namespace where it is born: no temporary names
  std::optional<Mac> mac = {};   ///< nullopt: the kernel's choice
  std::uint32_t mtu = 0;         ///< bytes; 0: the kernel's choice, mostly the parent's
  int parent = 0;                ///< ifindex in the namespace of the batch; 0: none
  std::string parent_name = {};  ///< for messages
  /// The ifindex that it shall have; 0: the kernel's choice. Before Linux 6.15 the kernel looks for
  /// `name` in the namespace of the batch, also for a link that is born elsewhere, and answers
  /// EEXIST; asked for an index it looks for that instead (rtnl_newlink()).
  int index = 0;
  const Netns* netns =
      nullptr;  ///< where it is born; nullptr: in the batch's. Must outlive commit()
};

enum class MacvlanMode : std::uint32_t { private_ = 1, vepa = 2, bridge = 4, passthru = 8 };
enum class IpvlanMode : std::uint16_t { l2 = 0, l3 = 1, l3s = 2 };

/// EEXIST: the name is taken there. EOPNOTSUPP: the kernel (or a module that it could load) doesn't
/// have the kind. `bc_queue_len`: IFLA_MACVLAN_BC_QUEUE_LEN,
/// packets; 0: the kernel's default.
void add_macvlan(Batch&, const LinkSpec&, MacvlanMode mode, std::uint32_t bc_queue_len);
void add_ipvlan(Batch&, const LinkSpec&, IpvlanMode mode);
/// 802.1Q; `vlan_id` 0 to 4094.
void add_vlan(Batch&, const LinkSpec&, std::uint16_t vlan_id);
void add_dummy(Batch&, const LinkSpec&);

/// An intermediate functional block, where what a link receives can queue: without a transmit
/// queue of its own, with IFLA_IFALIAS `alias` (at most 255 bytes).
void add_ifb(Batch&, const LinkSpec&, const std::string& alias);
/// A VRF device over routing table `table`, born UP.
void add_vrf(Batch&, const LinkSpec&, std::uint32_t table);

/// Whether the kernel, or a module that it could load, has the kind. Changes nothing: it is asked
/// for one with an impossible MAC, which only the kind itself refuses. Throws Error.
bool knows_link_kind(Netlink&, const std::string& kind);

/// What the kernel says of such a link, for CHECK; what the kind doesn't have is nullopt,
/// and all of it if the link is gone.
struct LinkKindData {
  std::optional<MacvlanMode> macvlan_mode;
  std::optional<IpvlanMode> ipvlan_mode;
  std::optional<std::uint16_t> vlan_id;
  std::optional<std::uint32_t> vrf_table;
};
LinkKindData get_kind_data(Netlink&, const std::string& name);

/// "dummy" or, where the kernel module has another name than the kind, that: "8021q".
const char* kernel_module_of(const std::string& kind);

}  // namespace unicni::net
