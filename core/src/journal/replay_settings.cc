#include "journal/replay_settings.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>

#include "journal/record_fields.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/link.h"
#include "unicni/net/link_kinds.h"
#include "unicni/net/qdisc.h"
#include "unicni/net/sysctl.h"

namespace unicni::journal {
namespace {

[[noreturn]] void refuse(const Undo& record, std::string_view key, std::string_view text) {
  throw Error(Code::internal,
              fmt::format("undo record \"{}\": {} is \"{}\"", record.type, key, text));
}

std::optional<std::uint32_t> number(const Undo& record, std::string_view key) {
  const std::string_view text = optional_field(record, key);
  if (text.empty()) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse(record, key, text);
  return value;
}

std::optional<bool> flag(const Undo& record, std::string_view key) {
  const std::string_view text = optional_field(record, key);
  if (text.empty()) return std::nullopt;
  if (text != "0" && text != "1") refuse(record, key, text);
  return text == "1";
}

std::optional<IpAddress> address(const Undo& record, std::string_view key) {
  const std::string_view text = optional_field(record, key);
  if (text.empty()) return std::nullopt;
  const auto parsed = IpAddress::parse(text);
  if (!parsed) refuse(record, key, text);
  return parsed;
}

IpNet net_of(const Undo& record, std::string_view key) {
  const auto parsed = IpNet::parse(field(record, key));
  if (!parsed) refuse(record, key, field(record, key));
  return *parsed;
}

/// The link in the container that the record is about, if it is still there.
std::optional<net::Link> link_of(const Undo& record, Host& host) {
  if (host.container_netns() == nullptr) return std::nullopt;
  auto link = net::find_link(host.container_links(), field(record, "link"));
  if (!link || number(record, "index") != static_cast<std::uint32_t>(link->index)) {
    return std::nullopt;
  }
  return link;
}

/// The route of a record, if the link is still there.
std::optional<net::RouteEntry> route_of(const Undo& record, Host& host) {
  const auto link = link_of(record, host);
  if (!link) return std::nullopt;
  net::RouteEntry entry;
  entry.index = link->index;
  entry.protocol = number(record, "protocol").value_or(0);
  entry.src = address(record, "src");
  entry.route.dst = net_of(record, "dst");
  entry.route.gw = address(record, "gw");
  entry.route.table = number(record, "table");
  entry.route.scope = number(record, "scope");
  entry.onlink = number(record, "onlink").value_or(0) != 0;
  entry.route.priority = number(record, "priority").value_or(0);
  entry.route.mtu = number(record, "mtu").value_or(0);
  entry.route.advmss = number(record, "advmss").value_or(0);
  return entry;
}

}  // namespace

void remove_own_qdisc(const Undo& record, Host& host) {
  const std::string& name = field(record, "link");
  const std::string& place_text = field(record, "place");
  if (place_text != "root" && place_text != "ingress") refuse(record, "place", place_text);
  const auto place = place_text == "root" ? net::QdiscPlace::root : net::QdiscPlace::ingress;
  net::Netlink& links = host.host_links();
  const auto link = net::find_link(links, name);
  if (!link || link->alias != field(record, "alias")) return;
  const auto qdisc = net::find_qdisc(links, link->index, name, place);
  if (qdisc && qdisc->kind == field(record, "kind")) {
    net::remove_qdisc(links, link->index, name, place);
  }
}

void restore_sysctl(const Undo& record, Host& host) {
  const net::Netns* netns = host.container_netns();
  if (netns == nullptr) return;
  net::ensure_sysctl(field(record, "key"), field(record, "value"), netns);
}

void restore_link_settings(const Undo& record, Host& host) {
  const auto link = link_of(record, host);
  if (!link) return;
  const std::string& name = link->name;
  net::Batch batch(host.container_links());
  // A message each, so that one that the link refuses leaves the others.
  const auto restore = [&](const net::LinkChange& change) {
    net::change_link(batch, link->index, name, change);
  };
  if (const auto mtu = number(record, "mtu")) restore({.mtu = mtu});
  if (const std::string_view text = optional_field(record, "mac"); !text.empty()) {
    const auto mac = Mac::parse(text);
    if (!mac) refuse(record, "mac", text);
    restore({.mac = mac});
  }
  if (const auto promisc = flag(record, "promisc")) restore({.promisc = promisc});
  if (const auto allmulti = flag(record, "allmulti")) restore({.allmulti = allmulti});
  if (const auto length = number(record, "tx_queue_len")) restore({.tx_queue_len = length});
  batch.commit();
}

void remove_added_rule(const Undo& record, Host& host) {
  if (host.container_netns() == nullptr) return;
  net::Batch batch(host.container_links());
  net::remove_rule(batch, {net_of(record, "from"), number(record, "table").value_or(0)});
  batch.commit();
}

void remove_added_route(const Undo& record, Host& host) {
  const auto entry = route_of(record, host);
  if (!entry) return;
  net::Batch batch(host.container_links());
  net::remove_route(batch, field(record, "link"), *entry);
  batch.commit();
}

void restore_removed_route(const Undo& record, Host& host) {
  const auto entry = route_of(record, host);
  if (!entry) return;
  net::Batch batch(host.container_links());
  net::put_route(batch, field(record, "link"), *entry);
  batch.commit();
}

void remove_idle_vrf(const Undo& record, Host& host) {
  if (host.container_netns() == nullptr) return;
  net::Netlink& links = host.container_links();
  const auto vrf = net::find_link(links, field(record, "name"));
  if (!vrf || vrf->kind != "vrf" || !net::list_ports(links, vrf->index).empty()) return;
  net::remove_link(links, vrf->index);
}

void release_vrf_port(const Undo& record, Host& host) {
  const auto link = link_of(record, host);
  if (!link || link->master == 0) return;
  net::Netlink& links = host.container_links();
  const auto vrf = net::find_link(links, field(record, "vrf"));
  if (!vrf || vrf->kind != "vrf" || vrf->index != link->master) return;
  net::Batch batch(links);
  net::set_master(batch, link->index, link->name, 0, vrf->name);
  batch.commit();
}

void restore_lost_address(const Undo& record, Host& host) {
  const auto link = link_of(record, host);
  if (!link) return;
  net::Batch batch(host.container_links());
  net::add_addr(batch, link->index, link->name, net_of(record, "address"), net::Dad::skip, true);
  batch.commit();
}

}  // namespace unicni::journal
