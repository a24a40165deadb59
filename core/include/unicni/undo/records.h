// Makers of the undo records: what a change is undone by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"
#include "unicni/net/device.h"
#include "unicni/net/link.h"
#include "unicni/net/qdisc.h"
#include "unicni/net/route.h"
#include "unicni/net/rule.h"
#include "unicni/netfilter/conntrack.h"
#include "unicni/netfilter/firewalld.h"
#include "unicni/netfilter/iptables.h"
#include "unicni/netfilter/iptables_firewall.h"
#include "unicni/netfilter/iptables_ports.h"
#include "unicni/netfilter/nft.h"
#include "unicni/undo.h"

namespace unicni {

/// A veth whose host end is `name` with IFLA_IFALIAS `alias`. Undone by deleting the host end if
/// kind and alias match.
Undo undo_veth(const std::string& name, const std::string& alias);
/// A link of `kind` that this ADD makes in the container's namespace, under a name that is free
/// there. Undone by deleting it if the namespace is the same one and the kind matches.
Undo undo_container_link(const std::string& name, const std::string& kind);
/// A link of `kind` on the host that is this attachment's alone, such as an ifb. Undone by deleting
/// it if kind and IFLA_IFALIAS match.
Undo undo_host_link(const std::string& name, const std::string& kind, const std::string& alias);
/// A qdisc of `kind` on a host link that had none at that place. Undone by removing it if the link
/// still has its alias and the qdisc its kind.
Undo undo_qdisc(const net::Link& link, net::QdiscPlace place, const std::string& kind);
/// A sysctl in the container's namespace (net/sysctl.h). Undone by writing `value`, the old one.
Undo undo_sysctl(const std::string& key, const std::string& value);
/// Settings of a link in the container. Undone by `before`, what they were (up, arp_notify and
/// alias don't count), if name and ifindex are the same.
Undo undo_link_settings(const net::Link& link, const net::LinkChange& before);
/// A rule and a route that are added in the container's namespace, and a route that is taken away
/// there. Undone by taking them away, and by adding the route again if the link still is the one
/// with that ifindex.
Undo undo_rule(const net::Rule& rule);
Undo undo_added_route(const std::string& link, const net::RouteEntry& route);
Undo undo_removed_route(const std::string& link, const net::RouteEntry& route);
/// A VRF in the container's namespace that the attachment uses. Undone by deleting it if it has no
/// ports.
Undo undo_vrf(const std::string& name);
/// A link in the container that becomes a port of VRF `vrf`. Undone by releasing it if it still is
/// one.
Undo undo_vrf_port(const net::Link& link, const std::string& vrf);
/// An address that a link in the container loses by a change. Undone by adding it again.
Undo undo_lost_address(const net::Link& link, const IpNet& address);
/// A bridge that this ADD creates. Undone only on failure and only if it has no ports.
Undo undo_bridge(const std::string& name);
/// A veth between a shared bridge and an interface `name` of the host, the gateway of a VLAN.
/// Undone only on failure and only if no other port is on `bridge`.
Undo undo_gateway_veth(const std::string& name, const std::string& bridge);
/// An address put on a shared host link. Undone only on failure and only if the link is a bridge
/// without ports.
Undo undo_shared_address(const std::string& link, const IpNet& address);
/// A file with exactly this content (trimmed) or empty. Undone by unlinking it; another content is
/// somebody else's.
Undo undo_file(const std::string& path, const std::string& content);
/// An element of our nftables sets, removed if the owner matches.
Undo undo_nft(const net::NftElement& element);
/// An element that a network shares. Never undone; remembered so that a ruleset that was flushed
/// can be made again.
Undo remember_nft(const net::NftElement& element);
/// The chain of a condition. Undone by deleting it, after its elements; it also remembers the text.
Undo undo_nft_condition(const net::NftCondition& condition);
/// Connections that go by rules of the attachment. Undone by forgetting them, after its elements.
Undo undo_flows(const net::Flows& flows);
/// A flag that is switched on at a bridge's port of this attachment. Undone by switching it off if
/// the link still has its alias.
Undo undo_port_flag(const net::Link& port, net::PortFlag flag);
/// Sysctl route_localnet=1 on a link of the host that its attachments share, and that it stands in
/// localnet_if (net/published_port.h). Undone when nobody needs it there any more.
Undo undo_localnet(const std::string& link);
/// add_loopback_route() on a link of the host that its attachments share. Undone when no port of
/// the host is published over IPv6 any more.
Undo undo_loopback_route(const std::string& link);
/// The gate in FORWARD (net/forward_gate.h). Undone after the elements, if nobody needs it any
/// more.
Undo undo_forward_gate(const std::string& admin_chain);
/// An address that becomes a source of a zone of firewalld. Undone by taking it out, unless a
/// living attachment of another owner has the same record.
Undo undo_firewalld_source(const net::FirewalldSource& source, const std::string& owner);
/// Its Undo::type.
inline constexpr const char* kFirewalldSource = "firewalld-source";
/// The source that such a record is about; nullopt: it is about something else, or damaged.
std::optional<net::FirewalldSource> find_firewalld_source(const Undo& record);
/// What add_iptables_masquerade() makes; undone by remove_reference_masquerade() with these
/// addresses.
Undo undo_iptables_masquerade(const net::IptablesMasquerade& masquerade);
/// What add_iptables_firewall() makes; undone by remove_iptables_firewall() unless an address is
/// another attachment's by then (Host::is_anothers).
Undo undo_iptables_firewall(const net::IptablesFirewall& firewall);
/// What add_iptables_ports() makes; undone by remove_iptables_ports(), unless another attachment of
/// the container has the chain by then (Host::has_iptables_ports_of_sibling).
Undo undo_iptables_ports(const net::IptablesPorts& ports);
inline constexpr const char* kIptablesPorts = "iptables-ports";
/// A link of the host that is given to the container. Undone by bringing it home, wherever it is by
/// then: in the container's namespace, or given back by the kernel when that ended. Announced again
/// as soon as its index inside is known: of the records of one device only the last counts.
Undo undo_device(const net::Device& device);
/// A delegate that runs as a program: undone by executing it with CNI_COMMAND=DEL, the attachment's
/// environment and `request` on stdin.
Undo undo_delegate(const std::string& type, const std::string& program, const std::string& request);

}  // namespace unicni
