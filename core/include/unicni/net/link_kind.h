// What the kinds of links have in common; each has a file of its own. ip-link(8).
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "unicni/mac.h"
#include "unicni/net/link.h"
#include "unicni/net/netlink.h"

namespace unicni::net {

struct LinkKind {
  const char* name;           ///< IFLA_INFO_KIND
  const char* kernel_module;  ///< what modprobe(8) knows it by, for advice
};

/// What all kinds have. Making one fails with EEXIST if the name is taken where it is born, and
/// with EOPNOTSUPP if the kernel (or a module that it could load) doesn't have the kind.
struct LinkSpec {
  std::string name;             ///< in the namespace where it is born: no temporary names
  std::optional<Mac> mac = {};  ///< nullopt: the kernel's choice
  std::uint32_t mtu = 0;        ///< bytes; 0: the kernel's choice, mostly the parent's
  LinkRef parent = {};          ///< in the namespace of the batch; index 0: none
  /// The ifindex that it shall have; 0: the kernel's choice. Before Linux 6.15 the kernel looks for
  /// `name` in the namespace of the batch, also for a link that is born elsewhere, and answers
  /// EEXIST; asked for an index it looks for that instead (rtnl_newlink()).
  int index = 0;
  const Netns* netns =
      nullptr;  ///< where it is born; nullptr: in the batch's. Must outlive commit()
};

/// Whether the kernel, or a module that it could load, has the kind. Changes nothing: it is asked
/// for one with an impossible MAC, which only the kind itself refuses. Throws Error.
bool knows_link_kind(Netlink&, const LinkKind&);

/// A value that one kind alone has: an attribute of IFLA_INFO_DATA, numbered by linux/if_link.h,
/// and its bytes, in the order that the kernel wants: most numbers in that of the machine, ports in
/// that of the network.
struct KindValue {
  std::uint16_t attribute;
  std::string bytes;
};
/// Of a number or a plain struct of the kernel's.
template <class T>
KindValue kind_value(std::uint16_t attribute, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {attribute, std::string(reinterpret_cast<const char*>(&value), sizeof value)};
}

/// Makes a link of a kind that has no header of its own here (vxlan, geneve …).
void add_link(Batch&, const LinkSpec&, const LinkKind&, const std::vector<KindValue>&);
/// The bytes of one value of a link, as the kernel has it. nullopt: it has none, is of another
/// kind, or is gone.
std::optional<std::string> find_kind_bytes(Netlink&, const std::string& name, const LinkKind&,
                                           std::uint16_t attribute);
/// The same as a T; nullopt also if it is shorter.
template <class T>
std::optional<T> find_kind_value(Netlink& netlink, const std::string& name, const LinkKind& kind,
                                 std::uint16_t attribute) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto bytes = find_kind_bytes(netlink, name, kind, attribute);
  if (!bytes || bytes->size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

}  // namespace unicni::net
