// The interfaces of a result: making their entries, and comparing them with the kernel's links.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/owner.h"
#include "protocol/version.h"
#include "unicni/error.h"
#include "unicni/link_module.h"
#include "unicni/net/sysctl.h"
#include "unicni/net/veth.h"
#include "unicni/undo/veth.h"

namespace unicni {

namespace {

constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";

}  // namespace

const Interface* find_interface(const Result& result, const std::string& name,
                                const std::string& sandbox) {
  for (const Interface& interface : result.interfaces) {
    if (interface.name == name && interface.sandbox == sandbox) return &interface;
  }
  return nullptr;
}

/// Compared as bytes: other makers write MAC addresses in upper case, and a MAC that can't be read
/// is a difference.
void require_same_mac(const Interface& recorded, const net::Link& link) {
  if (recorded.mac.empty()) return;
  const auto mac = Mac::parse(recorded.mac);
  if (mac && *mac == link.mac) return;
  throw Error(
      Code::internal,
      fmt::format("{} has MAC {}, prevResult says {}", link.name, link.mac.str(), recorded.mac),
      kAddAgain);
}

/// Results before 1.1.0 have no MTU, which reads as 0.
void require_same_mtu(const Interface& recorded, const net::Link& link) {
  if (recorded.mtu == 0 || recorded.mtu == link.mtu) return;
  throw Error(Code::internal,
              fmt::format("{} has MTU {}, prevResult says {}", link.name, link.mtu, recorded.mtu),
              kAddAgain);
}

void require_mtu(std::int64_t configured, const net::Link& link) {
  if (configured == 0 || configured == static_cast<std::int64_t>(link.mtu)) return;
  throw Error(
      Code::internal,
      fmt::format("{} has MTU {}, the configuration says {}", link.name, link.mtu, configured),
      kAddAgain);
}

bool tells_devices(const Call& call) {
  const auto version = protocol::find_version(call.spec_version);
  return version && *version >= protocol::SpecVersion::v1_1_0;
}

Interface host_interface(const Call& call, const std::string& name, const Mac& mac,
                         std::uint32_t mtu) {
  Interface interface;
  interface.name = name;
  if (!mac.is_zero()) interface.mac = mac.str();
  if (tells_devices(call)) interface.mtu = mtu;
  return interface;
}

Interface container_interface(const Call& call, const Mac& mac, std::uint32_t mtu) {
  Interface interface = host_interface(call, call.key.if_name, mac, mtu);
  interface.sandbox = call.netns;
  return interface;
}

void adopt_container_link(LinkAdd& add) {
  const net::Link link = net::get_link(add.host.container_links(), add.call.key.if_name);
  add.container_link = link.index;
  add.container_interface = static_cast<int>(add.result.interfaces.size());
  add.result.interfaces.push_back(container_interface(add.call, link.mac, link.mtu));
}

net::Link require_host_end(const Call& call, Host& host, const net::Link& container) {
  auto end =
      net::find_veth_end(host.container_links(), container, host.host_links(), host.host_netns());
  if (!end) {
    throw Error(Code::internal, fmt::format("{} has no veth end on this host", container.name),
                kAddAgain);
  }
  if (!end->up) {
    throw Error(Code::internal, fmt::format("{} is down", end->name),
                fmt::format("ip link set {} up", end->name));
  }
  if (const Interface* recorded = find_interface(*call.prev_result, end->name, "")) {
    require_same_mac(*recorded, *end);
    require_same_mtu(*recorded, *end);
  }
  return *std::move(end);
}

/// A port of a bridge is set up only when IPv6 is off on it. Otherwise the kernel would give it a
/// link-local address and join its multicast groups, which costs more the more ports there are.
void make_veth(net::Netlink& links, net::VethSpec veth) {
  const bool port = veth.master != 0;
  veth.up = !port;
  net::Batch batch(links);
  net::add_veth(batch, veth);
  batch.commit();
  // A port, too, for the day on which it leaves its bridge and somebody gives it IPv6 back.
  net::set_sysctl("net/ipv6/conf/" + veth.name + "/accept_ra", "0", veth.peer_netns);
  if (!port) return;
  net::switch_ipv6_off(veth.name, veth.peer_netns);
  net::LinkChange change;
  change.up = true;
  net::change_link(batch, {net::get_link_index(links, veth.name), veth.name}, change);
  batch.commit();
}

/// MAC addresses are chosen here and not by the kernel, so that the result needs no look at the
/// links afterwards.
void create_veth(LinkAdd& add, net::VethSpec& veth) {
  veth.name = net::random_veth_name();
  veth.alias = add.call.key.alias();
  if (veth.mac.is_zero()) veth.mac = Mac::random();
  veth.peer_name = add.call.key.if_name;
  if (veth.peer_mac.is_zero()) veth.peer_mac = Mac::random();
  veth.peer_netns = add.host.container_netns();
  add.host.undo().announce(undo_veth(veth.name, veth.alias));
  make_veth(add.host.host_links(), veth);
}

void adopt_veth(LinkAdd& add, const net::VethSpec& veth) {
  add.container_link = net::get_link_index(add.host.container_links(), add.call.key.if_name);
  auto& interfaces = add.result.interfaces;
  interfaces.push_back(host_interface(add.call, veth.name, veth.mac, veth.mtu_or_default()));
  add.container_interface = static_cast<int>(interfaces.size());
  interfaces.push_back(container_interface(add.call, veth.peer_mac, veth.mtu_or_default()));
}

/// By alias and for one network only: links whose owner isn't in the runtime's list. This finds
/// what no journal has any more.
void remove_stale_links(const Call& call, Host& host, const std::vector<net::Link>& links) {
  std::set<std::string> aliases;
  for (const net::Link& link : links) {
    if (is_owner_alias_of(link.alias, call.key.network)) aliases.insert(link.alias);
  }
  const auto key_of = [&](const Attachment& attachment) {
    return AttachmentKey{call.key.network, attachment.container_id, attachment.if_name};
  };
  const ValidAttachments& valid = *call.valid_attachments;
  // An alias of the longest length may be one that version 0.1 cut off, where later ones put a
  // hash. It is compared with cut names as well before it counts as stale.
  const auto is_cut = [](const std::string& alias) { return alias.size() == kLongestAlias; };
  auto stale = valid.strangers(std::move(aliases),
                               [&](const Attachment& each) { return key_of(each).alias(); });
  if (std::any_of(stale.begin(), stale.end(), is_cut)) {
    stale = valid.strangers(std::move(stale), [&](const Attachment& each) {
      return key_of(each).owner().substr(0, kLongestAlias);
    });
  }
  for (const net::Link& link : links) {
    if (stale.contains(link.alias)) {
      net::remove_link(host.host_links(), link.index);
    }
  }
}

}  // namespace unicni
