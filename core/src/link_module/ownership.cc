// Whether CNI_IFNAME in a namespace is this attachment's interface. DEL may be given a namespace
// that belongs to another container by now, and names of interfaces are all alike.
#include "link_module/ownership.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/owner.h"
#include "unicni/net/addr.h"
#include "unicni/net/veth.h"
#include "unicni/undo/iptables_firewall.h"

namespace unicni::link_module {

namespace {

/// Links of these kinds have their parent's MAC, which so names none of them.
bool has_parents_mac(const std::string& kind) { return kind == "ipvlan" || kind == "vlan"; }

}  // namespace

std::optional<IpAddress> find_on(const std::vector<IpNet>& present,
                                 const std::vector<IpAddress>& held) {
  const auto found = std::find_if(held.begin(), held.end(), [&](const IpAddress& address) {
    return std::any_of(present.begin(), present.end(),
                       [&](const IpNet& net) { return net.address() == address; });
  });
  return found == held.end() ? std::nullopt : std::optional(*found);
}

/// Most namespaces have nothing but lo by then, and the IPAM isn't asked.
std::optional<Living> find_living(Host& host, const char* kind) {
  const auto present = net::list_link_addrs(host.container_links());
  if (present.empty()) return std::nullopt;
  const auto held = host.ipam().held().value_or(std::vector<IpAddress>());
  for (const net::LinkAddr& each : present) {
    if (!find_on({each.address}, held)) continue;
    auto link = net::find_link(host.container_links(), each.index);
    if (!link || (kind != nullptr && link->kind != kind)) continue;
    return Living{*std::move(link), each.address.address()};
  }
  return std::nullopt;
}

std::optional<Mac> Ownership::recorded_mac() const {
  if (!call_.prev_result || has_parents_mac(link_.kind)) return std::nullopt;
  for (const Interface& interface : call_.prev_result->interfaces) {
    if (interface.name == call_.key.if_name && !interface.sandbox.empty()) {
      return Mac::parse(interface.mac);
    }
  }
  return std::nullopt;
}

bool Ownership::has(const IpAddress& address) const {
  return std::any_of(addresses_.begin(), addresses_.end(),
                     [&](const IpNet& net) { return net.address() == address; });
}

bool Ownership::has_recorded_address() const {
  const auto& ips = call_.prev_result->ips;
  return std::any_of(ips.begin(), ips.end(),
                     [&](const IpConfig& ip) { return has(ip.address.address()); });
}

/// Down and without an address: somebody was killed in ADD before the link could carry a packet, so
/// no container loses anything with it. Where there is a prevResult, ADD ended.
bool Ownership::is_unfinished() const {
  return !link_.up && addresses_.empty() && !call_.prev_result;
}

/// As the reference's bridge makes it, before it becomes a port.
bool Ownership::is_unused(const net::Link& host_end) const {
  return host_end.master == 0 && host_end.alias.empty() &&
         net::list_addrs(host_.host_links(), host_end.index).empty();
}

/// All of its addresses are reserved for others: in the container stands the interface of a later
/// attachment under the same name.
bool Ownership::is_anothers() const {
  const auto held = host_.ipam().given() ? host_.ipam().held() : std::nullopt;
  if (!held) return false;
  const auto is_foreign = [&](const IpNet& net) {
    return !net.address().is_link_local() &&
           std::find(held->begin(), held->end(), net.address()) == held->end();
  };
  return std::any_of(addresses_.begin(), addresses_.end(), is_foreign) &&
         !find_on(addresses_, *held);
}

/// From the surest sign to the weakest. The first that says anything decides, and its words go into
/// the warning.
std::optional<std::string> Ownership::why_not_ours(
    const char* kind, const std::function<bool(const net::Link* host_end)>& is_in_place) const {
  if (kind != nullptr && link_.kind != kind) {
    return fmt::format("is a {} link, not a {}", link_.kind.empty() ? "physical" : link_.kind,
                       kind);
  }
  std::optional<net::Link> host_end;
  if (kind != nullptr && link_.kind == "veth") {
    host_end =
        net::find_veth_end(host_.container_links(), link_, host_.host_links(), host_.host_netns());
    if (!host_end) return "has its other end elsewhere than on this host";
    if (host_end->alias == call_.key.alias()) return std::nullopt;
    if (is_owner_alias(host_end->alias) && !call_.key.may_be_cut_alias(host_end->alias)) {
      return "belongs to " + host_end->alias;
    }
  }
  // tuning's DEL has put an older MAC back, and left this sign of it.
  if (link_.alias == call_.key.alias()) return std::nullopt;
  const auto mac = recorded_mac();
  if (mac && *mac == link_.mac) return std::nullopt;
  const bool unfinished = is_unfinished();
  if (unfinished && host_end && is_unused(*host_end)) return std::nullopt;
  const auto held = host_.ipam().given() && !unfinished ? host_.ipam().held() : std::nullopt;
  if (held && find_on(addresses_, *held)) return std::nullopt;
  // Only after the reservation, which nobody else has: a container may change its MAC itself.
  if (mac) return fmt::format("has MAC {}, prevResult says {}", link_.mac.str(), mac->str());
  if (held) return "has no address that is reserved for this attachment";
  if (call_.prev_result && !call_.prev_result->ips.empty()) {
    if (has_recorded_address()) return std::nullopt;
    return "has no address of prevResult";
  }
  if (is_in_place(host_end ? &*host_end : nullptr)) return std::nullopt;
  return "is not where this network's interfaces are";
}

/// A foreign interface stays, and DEL succeeds: nothing of this attachment is left there.
bool Ownership::is_ours_or_warn(
    const char* kind, const std::function<bool(const net::Link* host_end)>& is_in_place) const {
  const auto reason = why_not_ours(kind, is_in_place);
  if (reason) {
    host_.log(LogLevel::warning,
              fmt::format("{} in {} {}: left alone", call_.key.if_name, call_.netns, *reason));
  }
  return !reason;
}

}  // namespace unicni::link_module
