#include "unicni/host_side.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "unicni/net/addr.h"
#include "unicni/net/route.h"
#include "unicni/net/veth.h"

namespace unicni {

namespace {

/// Kinds whose packets a parent on the host sends and receives below the host's own stack.
constexpr std::array<std::string_view, 6> kBesideTheHost = {"macvlan", "macvtap", "ipvlan",
                                                            "ipvtap",  "vlan",    "ipoib"};

bool is_container_interface(const Interface& interface, const std::string& if_name,
                            bool sandboxed) {
  return interface.name == if_name && (!sandboxed || !interface.sandbox.empty());
}

}  // namespace

/// Makers differ in what they write. An address counts unless the result says clearly that it is of
/// another interface: one of the host, or of another plugin of the list.
std::vector<IpNet> attachment_addresses(const Result& result, const std::string& if_name) {
  const auto named = [&](bool sandboxed) {
    return std::any_of(
        result.interfaces.begin(), result.interfaces.end(),
        [&](const Interface& each) { return is_container_interface(each, if_name, sandboxed); });
  };
  const bool sandboxed = named(true);
  const bool told = sandboxed || named(false);
  std::vector<IpNet> addresses;
  for (const IpConfig& ip : result.ips) {
    const bool indexed = ip.interface && *ip.interface >= 0 &&
                         static_cast<std::size_t>(*ip.interface) < result.interfaces.size();
    if (!told || !indexed ||
        is_container_interface(result.interfaces[static_cast<std::size_t>(*ip.interface)], if_name,
                               sandboxed)) {
      addresses.push_back(ip.address);
    }
  }
  return addresses;
}

Result with_own_addresses(Result result, const std::string& if_name) {
  const std::vector<IpNet> own = attachment_addresses(result, if_name);
  std::erase_if(result.ips, [&](const IpConfig& ip) {
    return std::find(own.begin(), own.end(), ip.address) == own.end();
  });
  return result;
}

/// An index is hearsay, too: makers have been seen that count from their own list.
std::vector<IpNet> attachment_addresses(const Call& call, Host& host, const Result& result) {
  std::vector<IpNet> addresses = attachment_addresses(result, call.key.if_name);
  if (addresses.size() == result.ips.size()) return addresses;
  const auto link = net::find_link(host.container_links(), call.key.if_name);
  if (!link) return addresses;
  const std::vector<IpNet> present = net::list_addrs(host.container_links(), link->index);
  for (const IpConfig& ip : result.ips) {
    const bool is_there = std::any_of(present.begin(), present.end(), [&](const IpNet& each) {
      return each.address() == ip.address.address();
    });
    if (!is_there || std::find(addresses.begin(), addresses.end(), ip.address) != addresses.end()) {
      continue;
    }
    addresses.push_back(ip.address);
  }
  return addresses;
}

/// The kernel is asked before prevResult: results of other makers leave out the host's interfaces,
/// or name ones that don't exist.
HostSide HostSide::find(const Call& call, Host& host, const Result& hint) {
  HostSide side(host);
  if (const auto link = net::find_link(host.container_links(), call.key.if_name)) {
    side.kind_ = link->kind;
    side.end_ =
        net::find_veth_end(host.container_links(), *link, host.host_links(), host.host_netns());
  }
  if (side.end_ && side.end_->master != 0) {
    side.master_ = net::find_link(host.host_links(), side.end_->master);
    if (side.master_ && side.master_->kind == "bridge") side.bridge_ = side.master_;
  }
  for (const Interface& each : hint.interfaces) {
    // Under the container's name it is, without its sandbox, the container's.
    if (each.sandbox.empty() && each.name != call.key.if_name) side.hints_.push_back(each.name);
  }
  return side;
}

bool HostSide::is_passed_by() const {
  return std::find(kBesideTheHost.begin(), kBesideTheHost.end(), kind_) != kBesideTheHost.end();
}

/// What the host itself would do with a packet to the container. A default route doesn't count.
std::optional<net::Link> HostSide::routed_link(const IpAddress& address) const {
  const auto known = std::find_if(routed_.begin(), routed_.end(),
                                  [&](const auto& each) { return each.first == address; });
  if (known != routed_.end()) return known->second;
  const auto index = net::find_link_to(host_->host_links(), address);
  std::optional<net::Link> link;
  if (bridge_ && index == bridge_->index) {
    link = bridge_;
  } else if (index) {
    link = net::find_link(host_->host_links(), *index);
  }
  return routed_.emplace_back(address, std::move(link)).second;
}

/// A veth whose other end nobody has plugged in yet will be the gateway's: the administrator makes
/// it, and then the first container makes the bridge. A link of another network with the same
/// subnet is none of these.
bool HostSide::leads_into_bridge(const net::Link& link) const {
  if (link.link_netnsid) return false;
  if (link.kind == "vlan") return link.iflink == bridge_->index;
  const auto master_of_peer = [&](const net::Link& veth) {
    const bool is_here = veth.kind == "veth" && !veth.link_netnsid;
    const auto peer = is_here ? net::find_link(host_->host_links(), veth.iflink) : std::nullopt;
    return peer ? std::optional(peer->master) : std::nullopt;
  };
  if (link.kind == "veth") {
    const auto master = master_of_peer(link);
    return master == bridge_->index || master == 0;
  }
  if (link.kind != "bridge") return false;
  const auto ports = net::list_ports(host_->host_links(), link.index);
  return std::any_of(ports.begin(), ports.end(),
                     [&](const net::Link& port) { return master_of_peer(port) == bridge_->index; });
}

std::optional<std::string> HostSide::hinted_link() const {
  for (const std::string& name : hints_) {
    const auto link = net::find_link(host_->host_links(), name);
    // bandwidth's ifb is in the list as well.
    if (link && link->kind != "ifb") return link->name;
  }
  return std::nullopt;
}

std::optional<std::string> HostSide::link_to(const IpAddress& address) const {
  if (bridge_) {
    const auto gateway = routed_link(address);
    const bool is_other = gateway && gateway->index != bridge_->index;
    return is_other && leads_into_bridge(*gateway) ? gateway->name : bridge_->name;
  }
  const bool is_port = master_ && master_->kind != "vrf";
  if (end_ && !is_port) return end_->name;
  if (is_passed_by()) return std::nullopt;
  // Behind a switch of another kind (Open vSwitch) the host has an interface of its own.
  if (const auto link = routed_link(address)) return link->name;
  if (end_) return end_->name;
  return hinted_link();
}

/// In a VRF nftables sees packets twice, once with the link and once with the VRF as their
/// interface. Both get an element.
std::vector<std::string> HostSide::links_of(const IpAddress& address) const {
  std::vector<std::string> links;
  if (const auto link = link_to(address)) links.push_back(*link);
  if (bridge_ && links.front() != bridge_->name) links.push_back(bridge_->name);
  if (master_ && master_->kind == "vrf") links.push_back(master_->name);
  return links;
}

std::optional<std::string> HostSide::other_route(const IpAddress& address) const {
  const auto link = bridge_ ? routed_link(address) : std::nullopt;
  if (!link) return std::nullopt;
  const auto links = links_of(address);
  const bool is_known = std::find(links.begin(), links.end(), link->name) != links.end();
  return is_known ? std::nullopt : std::optional(link->name);
}

}  // namespace unicni
