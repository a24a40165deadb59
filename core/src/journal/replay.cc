#include "journal/replay.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <string_view>

#include "journal/record_fields.h"
#include "journal/replay_device.h"
#include "journal/replay_firewalld.h"
#include "journal/replay_ports.h"
#include "journal/replay_settings.h"
#include "netfilter/nft/former.h"
#include "unicni/ip.h"
#include "unicni/net/addr.h"
#include "unicni/net/bridge_vlan.h"
#include "unicni/net/link.h"
#include "unicni/netfilter/forward_gate.h"
#include "unicni/netfilter/nft.h"
#include "unicni/netfilter/reference_rules.h"
#include "unicni/sys/file.h"
#include "unicni/undo/records.h"

namespace unicni::journal {
namespace {

constexpr unsigned kKnownVersion = 1;

/// Kind and alias say whose it is. An ADD that failed may have ended between making the link and
/// giving it its alias: then the random name alone says it.
void undo_one_veth(const Undo& record, Why why, const ReplayTools& tools) {
  const std::string& name = field(record, "name");
  const std::string& alias = field(record, "alias");
  net::Netlink& links = tools.host.host_links();
  const auto link = net::find_link(links, name);
  if (!link || link->kind != "veth") return;
  const bool unfinished = why == Why::failed_add && link->alias.empty();
  if (link->alias == alias || unfinished) net::remove_link(links, link->index);
}

/// That the namespace is the one that ADD saw is the caller's care (Host::container_netns).
void undo_one_container_link(const Undo& record, Why, const ReplayTools& tools) {
  if (tools.host.container_netns() == nullptr) return;
  net::Netlink& links = tools.host.container_links();
  const auto link = net::find_link(links, field(record, "name"));
  if (link && link->kind == field(record, "kind")) net::remove_link(links, link->index);
}

void undo_one_host_link(const Undo& record, Why, const ReplayTools& tools) {
  net::Netlink& links = tools.host.host_links();
  const auto link = net::find_link(links, field(record, "name"));
  if (link && link->kind == field(record, "kind") && link->alias == field(record, "alias")) {
    net::remove_link(links, link->index);
  }
}

/// What needs the host only.
template <void (*Work)(const Undo&, Host&)>
void undo_by_host(const Undo& record, Why, const ReplayTools& tools) {
  Work(record, tools.host);
}

std::optional<net::Link> find_idle_bridge(net::Netlink& links, const std::string& name) {
  auto link = net::find_link(links, name);
  if (!link || link->kind != "bridge" || !net::list_ports(links, link->index).empty()) {
    return std::nullopt;
  }
  return link;
}

void undo_one_bridge(const Undo& record, Why, const ReplayTools& tools) {
  const std::string& name = field(record, "name");
  net::Netlink& links = tools.host.host_links();
  const auto lock = lock_ports();
  const auto bridge = find_idle_bridge(links, name);
  if (bridge) net::remove_link(links, bridge->index);
}

bool share_a_vlan(const std::vector<net::PortVlan>& some,
                  const std::vector<net::PortVlan>& others) {
  return std::any_of(some.begin(), some.end(), [&](const net::PortVlan& one) {
    return std::any_of(others.begin(), others.end(), [&](const net::PortVlan& other) {
      return one.first <= other.last && other.first <= one.last;
    });
  });
}

/// Only ports in the gateway's VLAN can be those of its users. Where no VLANs are known any port
/// may be.
void undo_one_gateway_veth(const Undo& record, Why, const ReplayTools& tools) {
  const std::string& name = field(record, "name");
  net::Netlink& links = tools.host.host_links();
  const auto lock = lock_ports();
  const auto gateway = net::find_link(links, name);
  const auto bridge = net::find_link(links, field(record, "bridge"));
  if (!gateway || gateway->kind != "veth" || !bridge) return;
  const auto vlans = net::list_port_vlans(links, gateway->peer);
  const auto ports = net::list_ports(links, bridge->index);
  const bool idle = std::all_of(ports.begin(), ports.end(), [&](const net::Link& port) {
    if (port.index == gateway->peer) return true;
    return !vlans.empty() && !share_a_vlan(vlans, net::list_port_vlans(links, port.index));
  });
  if (idle) net::remove_link(links, gateway->index);
}

void undo_one_shared_address(const Undo& record, Why, const ReplayTools& tools) {
  const std::string& name = field(record, "link");
  const auto address = IpNet::parse(field(record, "address"));
  if (!address) {
    throw Error(Code::internal, fmt::format("undo record \"{}\": \"{}\" is no address", record.type,
                                            field(record, "address")));
  }
  net::Netlink& links = tools.host.host_links();
  const auto lock = lock_ports();
  const auto bridge = find_idle_bridge(links, name);
  if (!bridge) return;
  net::Batch batch(links);
  net::remove_addr(batch, bridge->index, bridge->name, *address, true);
  batch.commit();
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void undo_one_file(const Undo& record, Why, const ReplayTools&) {
  const std::string& path = field(record, "path");
  const auto content = sys::read_file(path);
  if (!content) return;
  const std::string_view found = trimmed(*content);
  // Empty: made, but killed before it was written.
  if (found.empty() || found == trimmed(field(record, "content"))) sys::remove_file(path);
}

void undo_one_device(const Undo& record, Why, const ReplayTools& tools) {
  bring_home(tools.host, device_of(record));
}

void undo_one_delegate(const Undo& record, Why, const ReplayTools& tools) {
  tools.run_delegate(field(record, "type"), field(record, "program"), field(record, "request"));
}

constexpr std::chrono::seconds kPatienceWithIptables{10};

Deadline iptables_deadline() { return std::chrono::steady_clock::now() + kPatienceWithIptables; }

/// "addresses", each with a prefix length or without.
std::vector<IpAddress> addresses_of(const Undo& record) {
  std::vector<IpAddress> addresses;
  std::string_view rest = field(record, "addresses");
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    const auto address = IpAddress::parse(word.substr(0, word.find('/')));
    if (!address) {
      throw Error(Code::internal,
                  fmt::format("undo record \"{}\": \"{}\" is no address", record.type, word));
    }
    addresses.push_back(*address);
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return addresses;
}

void undo_one_iptables_masquerade(const Undo& record, Why, const ReplayTools& tools) {
  net::remove_reference_masquerade(tools.host.nft(),
                                   {field(record, "network"), field(record, "container"),
                                    field(record, "if_name"), addresses_of(record)},
                                   iptables_deadline());
}

void undo_one_iptables_firewall(const Undo& record, Why, const ReplayTools& tools) {
  const Attachment owner{field(record, "container"), field(record, "if_name")};
  net::remove_iptables_firewall(
      tools.host.nft(), addresses_of(record), field(record, "admin_chain"),
      [&](const IpAddress& address) { return tools.host.is_anothers(owner, address); },
      iptables_deadline());
}

void undo_one_iptables_ports(const Undo& record, Why, const ReplayTools& tools) {
  const std::string& network = field(record, "network");
  const std::string if_name(optional_field(record, "if_name"));  // older records have none
  net::remove_iptables_ports(tools.host.nft(), network, {field(record, "container")},
                             iptables_deadline(), [&](const std::string& owner) {
                               return if_name.empty() || !tools.host.has_iptables_ports_of_sibling(
                                                             network, {owner, if_name});
                             });
}

void undo_one_forward_gate(const Undo& record, Why, const ReplayTools& tools) {
  net::remove_idle_forward_gate(tools.host.nft(), field(record, "admin_chain"));
}

/// What a network shares stays.
void leave(const Undo&, Why, const ReplayTools&) {}

// Rules, which go before everything else, see replay(). Elements: all at once.
void undo_one_reservation(const Undo& record, Why, const ReplayTools& tools) {
  tools.release_address(record);
}

constexpr std::string_view kNft = "nft";
constexpr std::string_view kNftNetwork = "nft-network";
constexpr std::string_view kNftCondition = "nft-condition";
constexpr std::string_view kDevice = "device";
constexpr std::string_view kIptables = "iptables-";
constexpr std::string_view kIptablesFirewall = "iptables-firewall";

struct Way {
  std::string_view type;
  void (*undo)(const Undo&, Why, const ReplayTools&);
};

constexpr std::array kWays = {
    Way{"veth", &undo_one_veth},
    Way{"container-link", &undo_one_container_link},
    Way{"host-link", &undo_one_host_link},
    Way{"qdisc", &undo_by_host<remove_own_qdisc>},
    Way{"sysctl", &undo_by_host<restore_sysctl>},
    Way{"link-settings", &undo_by_host<restore_link_settings>},
    Way{"rule", &undo_by_host<remove_added_rule>},
    Way{"added-route", &undo_by_host<remove_added_route>},
    Way{"removed-route", &undo_by_host<restore_removed_route>},
    Way{"vrf", &undo_by_host<remove_idle_vrf>},
    Way{"vrf-port", &undo_by_host<release_vrf_port>},
    Way{"lost-address", &undo_by_host<restore_lost_address>},
    Way{kNftCondition, &undo_by_host<remove_condition>},
    Way{"flows", &undo_by_host<forget_recorded_flows>},
    Way{"port-flag", &undo_by_host<clear_port_flag>},
    Way{"localnet", &undo_by_host<restore_localnets>},
    Way{"loopback-route", &undo_by_host<remove_idle_loopback_route>},
    Way{"bridge", &undo_one_bridge},
    Way{"gateway-veth", &undo_one_gateway_veth},
    Way{"shared-address", &undo_one_shared_address},
    Way{"file", &undo_one_file},
    Way{"reservation", &undo_one_reservation},
    Way{"delegate", &undo_one_delegate},
    Way{"forward-gate", &undo_one_forward_gate},
    Way{kNftNetwork, &leave},
    Way{kDevice, &undo_one_device},
    Way{"iptables-masquerade", &undo_one_iptables_masquerade},
    Way{kIptablesFirewall, &undo_one_iptables_firewall},
    Way{kIptablesPorts, &undo_one_iptables_ports},
};

void undo_one(const Undo& record, Why why, const ReplayTools& tools) {
  const auto way = std::find_if(kWays.begin(), kWays.end(),
                                [&](const Way& known) { return known.type == record.type; });
  if (way == kWays.end() || record.version > kKnownVersion) {
    if (tools.keep) return tools.keep(record);
    throw Error(
        Code::internal,
        fmt::format("undo record \"{}\" of version {} is not known", record.type, record.version),
        "a newer unicni wrote it: let that one run DEL");
  }
  way->undo(record, why, tools);
}

/// The later record of a device knows it better: by an index of its own, where the earlier one
/// could take another link for it.
bool is_superseded(const Undo& record, const std::vector<Undo>& records) {
  return record.type == kDevice &&
         std::any_of(&record + 1, records.data() + records.size(), [&](const Undo& later) {
           return later.type == kDevice &&
                  optional_field(later, "name") == optional_field(record, "name");
         });
}

net::NftElement element_of(const Undo& record) {
  const bool bridge = optional_field(record, "family") == "bridge";
  return {field(record, "set"),
          field(record, "key"),
          field(record, "key_end"),
          field(record, "owner"),
          bridge ? net::NftTable::bridge : net::NftTable::inet,
          std::string(optional_field(record, "data"))};
}

std::optional<net::NftElement> find_element(const Undo& record) {
  const bool of_nft = record.type == kNft || record.type == kNftNetwork;
  if (!of_nft || record.version > kKnownVersion) return std::nullopt;
  try {
    return element_of(record);
  } catch (const Error&) {
    return std::nullopt;  // damaged: nothing to restore from
  }
}

}  // namespace

std::vector<net::NftElement> find_elements(const std::vector<Undo>& records) {
  std::vector<net::NftElement> elements;
  for (const Undo& record : records) {
    if (auto element = find_element(record)) elements.push_back(*std::move(element));
  }
  return net::from_former_base(elements);
}

std::vector<IpAddress> filtered_addresses(const Undo& record) {
  if (record.type != kIptablesFirewall || record.version > kKnownVersion) return {};
  try {
    return addresses_of(record);
  } catch (const Error&) {
    return {};
  }
}

std::optional<net::NftCondition> find_condition(const Undo& record) {
  if (record.type != kNftCondition || record.version > kKnownVersion) return std::nullopt;
  try {
    return condition_of(record);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<Error> replay(const std::vector<Undo>& records, Why why, const ReplayTools& tools) {
  std::vector<Error> errors;
  const auto attempt = [&](const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      errors.push_back(error);
    } catch (const std::exception& error) {
      errors.emplace_back(Code::internal, fmt::format("undo: {}", error.what()));
    }
  };
  const auto applies = [&](const Undo& record) {
    if (is_superseded(record, records)) return false;
    return why == Why::failed_add || !record.on_failure_only;
  };
  const auto is_nft = [](const Undo& record) {
    return record.type == kNft && record.version <= kKnownVersion;
  };
  const auto backwards = [&](const auto& wanted, const auto& work) {
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
      if (applies(*record) && wanted(*record)) attempt([&] { work(*record); });
    }
  };

  // First of all, so that the kernel's grace period for them runs while the links go: after a
  // deletion from nftables the socket's close waits 8 to 15 ms, which a link deletion in between
  // hides.
  std::vector<net::NftElement> elements;
  backwards(is_nft, [&](const Undo& record) { elements.push_back(element_of(record)); });
  // The same under the names of today, if an older version wrote the records.
  const auto is_own = [&](const net::NftElement& element) {
    return std::ranges::any_of(elements,
                               [&](const auto& each) { return each.owner == element.owner; });
  };
  for (net::NftElement& element : find_elements(records)) {
    const bool known = std::ranges::find(elements, element) != elements.end();
    if (!known && is_own(element)) elements.push_back(std::move(element));
  }
  if (!elements.empty() && tools.restore_rules) tools.restore_rules(elements);
  if (!elements.empty()) attempt([&] { tools.host.nft().remove(elements); });
  const auto is_iptables = [](const Undo& record) { return record.type.starts_with(kIptables); };
  const auto undo = [&](const Undo& record) { undo_one(record, why, tools); };
  backwards(is_iptables, undo);
  const auto is_source = [](const Undo& record) {
    return record.type == kFirewalldSource && record.version <= kKnownVersion;
  };
  std::vector<Undo> sources;  // together: one connection for all
  backwards(is_source, [&](const Undo& record) { sources.push_back(record); });
  if (!sources.empty()) attempt([&] { remove_firewalld_sources(sources, tools.host); });
  const auto is_rule = [&](const Undo& record) {
    return is_nft(record) || is_iptables(record) || is_source(record);
  };
  backwards([&](const Undo& record) { return !is_rule(record); }, undo);
  return errors;
}

}  // namespace unicni::journal
