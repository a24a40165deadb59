#include "journal/replay_ports.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>

#include "journal/journal.h"
#include "journal/record_fields.h"
#include "journal/shared_links.h"
#include "unicni/error.h"
#include "unicni/net/conntrack.h"
#include "unicni/net/iptables_ports.h"
#include "unicni/net/link.h"
#include "unicni/net/published_port.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"

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

void restore_localnets(const Undo& record, Host& host) {
  const auto lock = lock_ports();
  // Versions up to 0.1 named no link: it is all of them, with the last port of the host.
  const std::string link(optional_field(record, "link"));
  if (link.empty() ? is_publishing(host, Family::v4) : net::is_localnet_used(host.nft(), link)) {
    return;
  }
  auto elements = net::list_localnets(host.nft());
  std::erase_if(elements, [&](const net::NftElement& element) {
    return !link.empty() && net::interface_of_localnet(element) != link;
  });
  for (const net::NftElement& element : elements) {
    if (!net::is_localnet_by_us(element)) continue;
    net::ensure_sysctl("net/ipv4/conf/" + net::interface_of_localnet(element) + "/route_localnet",
                       "0");
  }
  host.nft().remove(elements);
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
