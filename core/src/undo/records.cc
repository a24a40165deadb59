// Makers of the undo records. The field names are the journal's format: a rename needs a new
// `version`.
#include "unicni/undo/records.h"

#include <algorithm>
#include <string_view>

namespace unicni {

Undo undo_veth(const std::string& name, const std::string& alias) {
  return Undo{"veth", 1, false, {{"name", name}, {"alias", alias}}};
}

Undo undo_container_link(const std::string& name, const std::string& kind) {
  return Undo{"container-link", 1, false, {{"name", name}, {"kind", kind}}};
}

Undo undo_host_link(const std::string& name, const std::string& kind, const std::string& alias) {
  return Undo{"host-link", 1, false, {{"name", name}, {"kind", kind}, {"alias", alias}}};
}

Undo undo_qdisc(const net::Link& link, net::QdiscPlace place, const std::string& kind) {
  return Undo{"qdisc",
              1,
              false,
              {{"link", link.name},
               {"alias", link.alias},
               {"place", place == net::QdiscPlace::root ? "root" : "ingress"},
               {"kind", kind}}};
}

Undo undo_sysctl(const std::string& key, const std::string& value) {
  return Undo{"sysctl", 1, false, {{"key", key}, {"value", value}}};
}

Undo undo_link_settings(const net::Link& link, const net::LinkChange& before) {
  Undo record{
      "link-settings", 1, false, {{"link", link.name}, {"index", std::to_string(link.index)}}};
  const auto put = [&](const char* key, std::string value) {
    record.fields.emplace_back(key, std::move(value));
  };
  if (before.mac) put("mac", before.mac->str());
  if (before.mtu) put("mtu", std::to_string(*before.mtu));
  if (before.promisc) put("promisc", *before.promisc ? "1" : "0");
  if (before.allmulti) put("allmulti", *before.allmulti ? "1" : "0");
  if (before.tx_queue_len) put("tx_queue_len", std::to_string(*before.tx_queue_len));
  return record;
}

Undo undo_rule(const net::Rule& rule) {
  return Undo{"rule", 1, false, {{"from", rule.from.str()}, {"table", std::to_string(rule.table)}}};
}

namespace {

Undo route_record(const char* type, const std::string& link, const net::RouteEntry& entry) {
  Undo record{type,
              1,
              false,
              {{"link", link},
               {"index", std::to_string(entry.index)},
               {"dst", entry.route.dst.str()},
               {"protocol", std::to_string(entry.protocol)}}};
  const auto put = [&](const char* key, std::string value) {
    record.fields.emplace_back(key, std::move(value));
  };
  if (entry.route.gw) put("gw", entry.route.gw->str());
  if (entry.src) put("src", entry.src->str());
  if (entry.route.table) put("table", std::to_string(*entry.route.table));
  if (entry.route.scope) put("scope", std::to_string(*entry.route.scope));
  if (entry.onlink) put("onlink", "1");
  if (entry.route.priority != 0) put("priority", std::to_string(entry.route.priority));
  if (entry.route.mtu != 0) put("mtu", std::to_string(entry.route.mtu));
  if (entry.route.advmss != 0) put("advmss", std::to_string(entry.route.advmss));
  return record;
}

}  // namespace

Undo undo_added_route(const std::string& link, const net::RouteEntry& route) {
  return route_record("added-route", link, route);
}

Undo undo_removed_route(const std::string& link, const net::RouteEntry& route) {
  return route_record("removed-route", link, route);
}

Undo undo_vrf(const std::string& name) { return Undo{"vrf", 1, false, {{"name", name}}}; }

Undo undo_vrf_port(const net::Link& link, const std::string& vrf) {
  return Undo{"vrf-port",
              1,
              false,
              {{"link", link.name}, {"index", std::to_string(link.index)}, {"vrf", vrf}}};
}

Undo undo_lost_address(const net::Link& link, const IpNet& address) {
  return Undo{
      "lost-address",
      1,
      false,
      {{"link", link.name}, {"index", std::to_string(link.index)}, {"address", address.str()}}};
}

Undo undo_bridge(const std::string& name) { return Undo{"bridge", 1, true, {{"name", name}}}; }

Undo undo_gateway_veth(const std::string& name, const std::string& bridge) {
  return Undo{"gateway-veth", 1, true, {{"name", name}, {"bridge", bridge}}};
}

Undo undo_shared_address(const std::string& link, const IpNet& address) {
  return Undo{"shared-address", 1, true, {{"link", link}, {"address", address.str()}}};
}

Undo undo_file(const std::string& path, const std::string& content) {
  return Undo{"file", 1, false, {{"path", path}, {"content", content}}};
}

namespace {

Undo nft_record(const char* type, const net::NftElement& element) {
  Undo record{type,
              1,
              false,
              {{"set", element.set},
               {"key", element.key},
               {"key_end", element.key_end},
               {"owner", element.owner}}};
  if (element.table == net::NftTable::bridge) record.fields.emplace_back("family", "bridge");
  if (!element.data.empty()) record.fields.emplace_back("data", element.data);
  return record;
}

}  // namespace

Undo undo_nft(const net::NftElement& element) { return nft_record("nft", element); }

Undo remember_nft(const net::NftElement& element) { return nft_record("nft-network", element); }

Undo undo_nft_condition(const net::NftCondition& condition) {
  return Undo{"nft-condition",
              1,
              false,
              {{"family", condition.family == Family::v4 ? "4" : "6"},
               {"chain", condition.chain},
               {"text", condition.text},
               {"owner", condition.owner}}};
}

Undo undo_flows(const net::Flows& flows) {
  return Undo{"flows",
              1,
              false,
              {{"family", flows.family == Family::v4 ? "4" : "6"},
               {"protocol", std::to_string(flows.protocol)},
               {"host_ip", flows.host_ip ? flows.host_ip->str() : ""},
               {"host_port", std::to_string(flows.host_port)}}};
}

Undo undo_port_flag(const net::Link& port, net::PortFlag flag) {
  return Undo{"port-flag",
              1,
              false,
              {{"link", port.name},
               {"alias", port.alias},
               {"flag", flag == net::PortFlag::isolated ? "isolated" : "hairpin"}}};
}

Undo undo_localnet(const std::string& link) { return Undo{"localnet", 1, false, {{"link", link}}}; }

Undo undo_loopback_route(const std::string& link) {
  return Undo{"loopback-route", 1, false, {{"link", link}}};
}

Undo undo_forward_gate(const std::string& admin_chain) {
  return Undo{"forward-gate", 1, false, {{"admin_chain", admin_chain}}};
}

Undo undo_firewalld_source(const net::FirewalldSource& source, const std::string& owner) {
  return Undo{kFirewalldSource,
              1,
              false,
              {{"zone", source.zone}, {"address", source.address.str()}, {"owner", owner}}};
}

std::optional<net::FirewalldSource> find_firewalld_source(const Undo& record) {
  if (record.type != kFirewalldSource) return std::nullopt;
  const auto value = [&](std::string_view key) {
    const auto found = std::find_if(record.fields.begin(), record.fields.end(),
                                    [&](const auto& field) { return field.first == key; });
    return found == record.fields.end() ? std::string() : found->second;
  };
  const auto address = IpAddress::parse(value("address"));
  if (!address) return std::nullopt;
  return net::FirewalldSource{value("zone"), *address};
}

namespace {

template <class Address>
std::string listed(const std::vector<Address>& addresses) {
  std::string text;
  for (const Address& address : addresses) text += (text.empty() ? "" : " ") + address.str();
  return text;
}

}  // namespace

Undo undo_iptables_masquerade(const net::IptablesMasquerade& masquerade) {
  return Undo{"iptables-masquerade",
              1,
              false,
              {{"network", masquerade.network},
               {"container", masquerade.container_id},
               {"if_name", masquerade.if_name},
               {"addresses", listed(masquerade.addresses)}}};
}

Undo undo_iptables_firewall(const net::IptablesFirewall& firewall) {
  return Undo{"iptables-firewall",
              1,
              false,
              {{"network", firewall.network},
               {"container", firewall.container_id},
               {"if_name", firewall.if_name},
               {"admin_chain", firewall.admin_chain},
               {"addresses", listed(firewall.addresses)}}};
}

Undo undo_iptables_ports(const net::IptablesPorts& ports) {
  return Undo{kIptablesPorts,
              1,
              false,
              {{"network", ports.network},
               {"container", net::iptables_chain_owner(ports)},
               {"if_name", ports.if_name}}};
}

Undo undo_device(const net::Device& device) {
  const net::Link& was = device.was;
  return Undo{"device",
              1,
              false,
              {{"name", was.name},
               {"index", std::to_string(was.index)},
               {"kind", was.kind},
               {"alias", was.alias},
               {"mac", was.mac.str()},
               {"permanent_mac", was.permanent_mac ? was.permanent_mac->str() : ""},
               {"mtu", std::to_string(was.mtu)},
               {"up", was.up ? "1" : "0"},
               {"promisc", was.promisc ? "1" : "0"},
               {"bus", was.parent_bus},
               {"parent", was.parent},
               {"if_name", device.if_name},
               {"inside_index", std::to_string(device.inside_index)},
               {"netns", device.netns},
               {"netns_path", device.netns_path}}};
}

Undo undo_delegate(const std::string& type, const std::string& program,
                   const std::string& request) {
  return Undo{"delegate", 1, false, {{"type", type}, {"program", program}, {"request", request}}};
}

}  // namespace unicni
