#include "journal/replay_ports.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "journal/journal.h"
#include "journal/record_fields.h"
#include "journal/shared_links.h"
#include "unicni/error.h"
#include "unicni/net/link.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"
#include "unicni/netfilter/conntrack.h"
#include "unicni/netfilter/iptables_ports.h"
#include "unicni/netfilter/published_port.h"
#include "unicni/undo/records.h"

namespace unicni::journal {
namespace {

Error damaged(const Undo& record, const std::string& value) {
  return {Code::internal, fmt::format("undo record \"{}\": \"{}\" is wrong", record.type, value)};
}

template <class T>
T number(const Undo& record, std::string_view key) {
  const std::string& text = field(record, key);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw damaged(record, text);
  return value;
}

/// By whatever backend.
bool is_publishing(Host& host, Family family) {
  return net::has_published_ports(host.nft(), family) ||
         net::has_iptables_ports(host.nft(), family);
}

Family family(const Undo& record) {
  return field(record, "family") == "4" ? Family::v4 : Family::v6;
}

}  // namespace

std::optional<sys::Lock> lock_ports() {
  constexpr std::chrono::seconds kPatience{5};
  return lock_shared_links(kRunFolder, sys::LockMode::exclusive,
                           std::chrono::steady_clock::now() + kPatience);
}

net::NftCondition condition_of(const Undo& record) {
  return {family(record), field(record, "chain"), field(record, "text"), field(record, "owner")};
}

void remove_condition(const Undo& record, Host& host) {
  host.nft().remove_condition(condition_of(record));
}

void forget_recorded_flows(const Undo& record, Host& host) {
  net::Flows flows{family(record), number<std::uint8_t>(record, "protocol"), std::nullopt,
                   number<std::uint16_t>(record, "host_port")};
  if (const std::string& text = field(record, "host_ip"); !text.empty()) {
    flows.host_ip = IpAddress::parse(text);
    if (!flows.host_ip) throw damaged(record, text);
  }
  net::forget_flows(host.nft(), flows);
}

void clear_port_flag(const Undo& record, Host& host) {
  const auto port = net::find_link(host.host_links(), field(record, "link"));
  if (!port || port->master == 0 || port->alias != field(record, "alias")) return;
  const auto flag =
      field(record, "flag") == "isolated" ? net::PortFlag::isolated : net::PortFlag::hairpin;
  net::Batch batch(host.host_links());
  net::set_port_flag(batch, port->index, port->name, flag, false);
  batch.commit();
}

namespace {

/// Versions up to 0.1 wrote no link into the record, and no element of who needs it.
bool is_former_localnet(const Undo& record) { return optional_field(record, "link").empty(); }

/// Whether ports are published that tell no link: by versions up to 0.1, or by the reference, which
/// relies on route_localnet just as we do.
bool are_others_publishing(Host& host, std::ptrdiff_t own_former) {
  const auto former = host.remembered("localnet", Steps::all);
  if (std::ranges::count_if(former, is_former_localnet) > own_former) return true;
  std::set<std::string> ours;
  for (const Undo& record : host.remembered(kIptablesPorts, Steps::all)) {
    ours.insert(net::iptables_ports_chain(field(record, "network"), field(record, "container")));
  }
  return net::has_iptables_ports_besides(host.nft(), Family::v4, ours);
}

void restore_idle(Host& host, std::ptrdiff_t own_former) {
  const auto lock = lock_ports();
  auto idle = net::list_localnets(host.nft());
  std::erase_if(idle, [&](const net::NftElement& element) {
    return net::is_localnet_used(host.nft(), net::interface_of_localnet(element));
  });
  if (idle.empty() || are_others_publishing(host, own_former)) return;
  for (const net::NftElement& element : idle) {
    if (!net::is_localnet_by_us(element)) continue;
    net::ensure_sysctl("net/ipv4/conf/" + net::interface_of_localnet(element) + "/route_localnet",
                       "0");
  }
  host.nft().remove(idle);
}

}  // namespace

void restore_localnets(const Undo& record, Host& host) {
  restore_idle(host, is_former_localnet(record) ? 1 : 0);
}

void restore_idle_localnets(Host& host) {
  if (!net::list_localnets(host.nft()).empty()) restore_idle(host, 0);
}

void remove_idle_loopback_route(const Undo& record, Host& host) {
  const auto lock = lock_ports();
  if (is_publishing(host, Family::v6)) return;
  const auto link = net::find_link(host.host_links(), field(record, "link"));
  if (!link) return;
  net::Batch batch(host.host_links());
  net::remove_loopback_route(batch, link->index, link->name);
  batch.commit();
}

}  // namespace unicni::journal
