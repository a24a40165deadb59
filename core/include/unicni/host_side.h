// Where an attachment meets this host, as the kernel tells. What a result lists as interfaces of
// the host is hearsay: those before 0.3.0 list none, and other makers' list none, the container's
// own interface without its sandbox, or a name that the host's uplink has as well.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unicni/call.h"
#include "unicni/host.h"
#include "unicni/ip.h"
#include "unicni/net/link.h"
#include "unicni/result.h"

namespace unicni {

/// The addresses of `result` that are the attachment's: those of the interface that the result has
/// under this name, in a sandbox if any of that name is; and those that name no interface of the
/// result. All, if the result has no interface of that name.
std::vector<IpNet> attachment_addresses(const Result& result, const std::string& if_name);
/// The result without the other addresses, which later plugins of a list have brought along.
Result with_own_addresses(Result, const std::string& if_name);
/// These, and after them those that the result gives another interface although CNI_IFNAME in the
/// container has them. The kernel is asked only if there are others. ADD and CHECK only.
std::vector<IpNet> attachment_addresses(const Call&, Host&, const Result&);

/// One look at the kernel: the veth that CNI_IFNAME is, its other end on this host, and the bridge
/// whose port that is; without such an end the host's routes, and after them the result's list.
class HostSide {
 public:
  /// Three or four requests. ADD and CHECK only: the container's namespace must be there;
  /// CNI_IFNAME in it need not. Throws Error if the kernel can't be asked.
  static HostSide find(const Call&, Host&, const Result& hint);

  /// CNI_IFNAME is a macvlan or another link of a kind that hands its packets to a parent's wire:
  /// they never meet this host's rules.
  [[nodiscard]] bool is_passed_by() const;
  /// The end on this host of the veth that CNI_IFNAME is.
  [[nodiscard]] const std::optional<net::Link>& end() const { return end_; }
  /// The bridge whose port end() is.
  [[nodiscard]] const std::optional<net::Link>& bridge() const { return bridge_; }
  /// IFLA_INFO_KIND of CNI_IFNAME; empty: hardware, or there is none.
  [[nodiscard]] const std::string& kind() const { return kind_; }

  /// The link that packets between this host and the address go through: the bridge, or what the
  /// host's route has instead, if that is plugged into the bridge: a vlan link on it, a veth, a
  /// bridge that a veth connects with it; the end itself, if it is nobody's port; else the link of
  /// this host's route to the address, if that isn't a default one; else an interface of the host
  /// that the result names. nullopt: there is none.
  [[nodiscard]] std::optional<std::string> link_to(const IpAddress& address) const;
  /// The links by which packets of the address may come into this host's forwarding: link_to(), and
  /// besides a gateway the bridge, for what is bridged where bridge-nf-call-iptables is on; besides
  /// an end in a VRF that one. Empty: not found.
  [[nodiscard]] std::vector<std::string> links_of(const IpAddress& address) const;
  /// The link of this host's route to the address of a bridge's port, if it is none of links_of():
  /// one that a cable or a switch may connect with the bridge, or one of another network that has
  /// the same addresses. A default route has none.
  [[nodiscard]] std::optional<std::string> other_route(const IpAddress& address) const;

 private:
  explicit HostSide(Host& host) : host_(&host) {}
  [[nodiscard]] std::optional<net::Link> routed_link(const IpAddress& address) const;
  [[nodiscard]] bool leads_into_bridge(const net::Link& link) const;
  [[nodiscard]] std::optional<std::string> hinted_link() const;

  Host* host_;
  std::string kind_;
  std::optional<net::Link> end_;
  std::optional<net::Link> master_;  ///< of the end: bridge, VRF, openvswitch …
  std::optional<net::Link> bridge_;
  std::vector<std::string> hints_;  ///< of the host, in the order of the result
  /// What routed_link() found: this is one look.
  mutable std::vector<std::pair<IpAddress, std::optional<net::Link>>> routed_;
};

}  // namespace unicni
