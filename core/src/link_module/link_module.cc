#include "unicni/link_module.h"

#include <fmt/core.h>

#include <algorithm>

#include "link_module/check.h"
#include "link_module/configure.h"
#include "link_module/ownership.h"
#include "protocol/result_narrow.h"
#include "protocol/version.h"
#include "undo/renewed.h"
#include "unicni/error.h"
#include "unicni/errors.h"
#include "unicni/host_side.h"
#include "unicni/interface_entry.h"
#include "unicni/undo/iptables_firewall.h"

namespace unicni {

namespace {

/// The kernel takes an IPv4 address once with each prefix length, and an IPv6 one once.
bool is_same_for_kernel(const IpNet& one, const IpNet& other) {
  return one.is_v4() ? one == other : one.address() == other.address();
}

/// An address that an interface can have, and once.
void require_assignable(const std::vector<IpConfig>& ips, std::size_t at,
                        const std::string& giver) {
  const IpNet& address = ips[at].address;
  if (address.address().is_unspecified()) {
    throw Error(
        Code::invalid_config,
        fmt::format("address: {} gave {}, which no interface can have", giver, address.str()),
        "correct the ranges or addresses in \"ipam\"");
  }
  const auto end = ips.begin() + static_cast<std::ptrdiff_t>(at);
  if (std::none_of(ips.begin(), end, [&](const IpConfig& each) {
        return is_same_for_kernel(each.address, address);
      })) {
    return;
  }
  throw Error(Code::invalid_config, fmt::format("address: {} gave {} twice", giver, address.str()),
              "correct \"ipam\": an interface has each address once");
}

/// IPv6's routing masks it by itself.
void require_masked(const Route& route, const std::string& giver) {
  if (!route.dst.is_v4() || route.dst == route.dst.masked()) return;
  throw Error(Code::invalid_config,
              fmt::format("routes: {} gave a route to {}, which has bits behind its prefix length",
                          giver, route.dst.str()),
              fmt::format("write it as {}, or as {}/32 for that address alone",
                          route.dst.masked().str(), route.dst.address().str()));
}

/// What no interface could use, whatever IPAM, or the result that stands for one, says.
void require_usable(const Result& given, const std::string& ipam_type) {
  const std::string giver = ipam_type.empty() ? "prevResult" : "IPAM " + ipam_type;
  for (const Route& route : given.routes) require_masked(route, giver);
  for (std::size_t i = 0; i < given.ips.size(); ++i) {
    const IpConfig& ip = given.ips[i];
    require_assignable(given.ips, i, giver);
    if (ip.gateway && ip.gateway->family() != ip.address.family()) {
      throw Error(Code::invalid_config,
                  fmt::format("gateway: {} gave {} the gateway {} of the other family", giver,
                              ip.address.str(), ip.gateway->str()),
                  fmt::format("set \"gateway\" in \"ipam\" to an IPv{} address, or leave it out",
                              static_cast<int>(ip.address.family())));
    }
    constexpr int kLongestWithBroadcast = 30;  // RFC 3021: both addresses of a /31 are hosts'
    if (!ip.address.is_v4() || ip.address.prefix_length() > kLongestWithBroadcast) continue;
    const IpAddress broadcast = ip.address.last();
    if (ip.address.address() != broadcast && ip.gateway != broadcast) continue;
    throw Error(Code::invalid_config,
                fmt::format("{}: {} gave {}, the broadcast address of {}",
                            ip.gateway == broadcast ? "gateway" : "address", giver, broadcast.str(),
                            ip.address.masked().str()),
                "correct the ranges, addresses or gateways in \"ipam\": a broadcast address can't "
                "be assigned");
  }
}

/// `dns` of the configuration replaces that of the IPAM as a whole, as the reference does: two
/// lists of servers are never mixed.
void take_addresses(LinkAdd& add, Result&& ipam, const std::optional<Dns>& dns) {
  if (ipam.ips.empty()) {
    throw Error(Code::internal, fmt::format("IPAM {} gave no address", add.call.ipam_type),
                "an interface with \"ipam\" needs one; check the ranges or addresses in \"ipam\"");
  }
  require_usable(ipam, add.call.ipam_type);
  add.result.ips = std::move(ipam.ips);
  add.result.routes = std::move(ipam.routes);
  add.result.dns = std::move(ipam.dns);
  if (dns) add.result.dns = *dns;
}

/// An IPAM that talks through the link may have got another address or mask since ADD, and put it
/// there with routes of its own choice. Whether `held`, what it has now, isn't what the result
/// says. Later plugins may have added addresses of other interfaces.
bool has_moved(const Call& call, const Result& result, const std::vector<IpNet>& held) {
  const auto own = attachment_addresses(result, call.key.if_name);
  return !held.empty() && std::any_of(own.begin(), own.end(), [&](const IpNet& address) {
    return std::find(held.begin(), held.end(), address) == held.end();
  });
}

/// An address that a link of the container still has would be given to two containers.
bool warned_of_living_address(const Call& call, Host& host) {
  if (host.container_netns() == nullptr) return false;
  const auto living = link_module::find_living(host, nullptr);
  if (!living) return false;
  host.log(LogLevel::warning,
           fmt::format("{} in {} still has {}: the address stays reserved for this attachment; "
                       "delete the link, then run DEL again",
                       living->link.name, call.netns, living->address.str()));
  return true;
}

Interface entry_of(const LinkAdd& add) {
  Interface entry = container_interface(add.call, add.made.mac, add.made.mtu);
  if (tells_devices(add.call)) entry.pci_id = add.made.pci_id;
  return entry;
}

}  // namespace

/// Everything that can be refused without the kernel is refused here, before any step of the list
/// has changed anything. GC needs no IPAM configuration: it removes what is left of a network,
/// whatever its configuration is by now.
void LinkModule::validate(const Call& call) {
  const auto version = protocol::find_version(call.spec_version);
  if (needs_ipam() && call.ipam_type.empty() && call.command != Command::gc) {
    throw Error(Code::invalid_config,
                fmt::format("ipam: {} interface requires an IPAM configuration", call.type),
                R"(add "ipam": {"type": "host-local", ...}, or another IPAM plugin)");
  }
  if (call.command == Command::add && call.ipam_type.empty() && version &&
      !protocol::can_express_without_ips(*version) && !addresses(call)) {
    throw Error(Code::invalid_config,
                fmt::format("cniVersion {} has no result for an interface without addresses",
                            call.spec_version),
                "set \"ipam\", or a cniVersion of 0.3.0 or later");
  }
  if (call.command == Command::check && !call.prev_result) {
    throw Error(Code::invalid_config, "CHECK needs prevResult, the result of ADD",
                "run ADD first; the runtime must then send its result as prevResult with CHECK");
  }
  validate_options(call);
}

/// The order is explained in core/ARCHITECTURE.md, "The order of work".
Result LinkModule::add(const Call& call, Host& host) {
  LinkAdd add{call, host, {}};
  const auto finish_result = [&] {
    complete(add);
    if (has_link(call) && !reaches_all_gateways())
      link_module::require_reachable_gateways(add.result);
  };
  // Asked first, as the most frequent mistake of a runtime, a second ADD, must not cost an address.
  if (net::find_link(host.container_links(), call.key.if_name)) {
    throw Error(Code::internal,
                fmt::format("interface {} exists already in {}", call.key.if_name, call.netns),
                "DEL this attachment first, or choose another CNI_IFNAME");
  }
  // What the module needs of the host (a parent link, a bridge of the right kind) is looked for
  // before an address is reserved.
  prepare(add);
  const auto dns_option = dns(call);
  // An IPAM like dhcp sends packets through the interface, so its turn comes when that is UP.
  const bool ipam_first = host.ipam().given() && !host.ipam().needs_link();
  if (ipam_first) {
    take_addresses(add, host.ipam().add(), dns_option);
    finish_result();
  } else if (!host.ipam().given()) {
    if (auto others = addresses(call)) {
      take_addresses(add, *std::move(others), dns_option);
      finish_result();
    } else if (dns_option) {
      add.result.dns = *dns_option;
    }
  }
  add.made = create_link(add);
  const auto own_entry = static_cast<int>(add.result.interfaces.size());
  add.result.interfaces.push_back(entry_of(add));
  if (host.ipam().given() && !ipam_first) {
    if (!has_link(call)) {
      throw Error(Code::invalid_config,
                  fmt::format("IPAM {} needs an interface, and there is none", call.ipam_type),
                  "a program drives the device; host-local or static give addresses without one");
    }
    link_module::bring_up(add);
    take_addresses(add, host.ipam().add(), dns_option);
    finish_result();
    // Such an IPAM may have been told another MTU, and set it.
    add.made.mtu = net::get_link_mtu(host.container_links(), call.key.if_name);
    add.result.interfaces.back().mtu = add.made.mtu;
  }
  // An IPAM doesn't know the interface: its addresses come without an index.
  for (IpConfig& ip : add.result.ips) ip.interface = own_entry;
  if (!has_link(call)) return std::move(add.result);

  net::LinkChange change;
  change.up = true;
  tune_link(add, change);
  const net::Dad dad_wanted = dad(call);
  link_module::configure(add, change, dad_wanted);
  finish(add);
  net::Batch batch(host.container_links());
  // Routes need a link that is UP and gateways that are reachable, so they can't go into the batch
  // that sets the link up. The announcement comes last: who is told of an address must get an
  // answer from it.
  put_routes(add, batch);
  if (change.arp_notify.value_or(false)) link_module::announce(add, batch);
  if (!batch.empty()) batch.commit();
  if (dad_wanted == net::Dad::kernel) link_module::await_dad(add);
  return std::move(add.result);
}

/// Each part is tried whatever became of the one before, and the first failure is reported when all
/// are through. An address is given back last, as it may be in use while the link exists, but for
/// one that is given back through the link.
void LinkModule::del(const Call& call, Host& host) {
  Errors errors;
  std::vector<IpNet> addresses;
  if (call.prev_result) {
    for (const IpConfig& ip : call.prev_result->ips) addresses.push_back(ip.address);
  }
  std::optional<net::Link> link;
  // Rules of earlier versions and of the reference plugin are found by addresses, so every source
  // of them is asked: prevResult, the interface, the reservations.
  const auto know = [&addresses](const IpNet& net) {
    if (std::find(addresses.begin(), addresses.end(), net) == addresses.end()) {
      addresses.push_back(net);
    }
  };
  errors.attempt([&] {
    if (host.container_netns() == nullptr) return;
    link = recognise(call, host);
    // A module that knows its link by more than its name (host-device) is asked first. For the
    // others the name must do, and the check of the owner follows.
    const bool recognised = link.has_value();
    if (!link) link = net::find_link(host.container_links(), call.key.if_name);
    if (!link && container_kind() != nullptr && host.ipam().given()) {
      // Somebody in the container gave it another name.
      if (auto renamed = link_module::find_living(host, container_kind())) {
        link = std::move(renamed->link);
      }
    }
    if (!link) return;
    const auto present = net::list_addrs(host.container_links(), link->index);
    const link_module::Ownership ownership(call, host, *link, present);
    if (recognised && !ownership.is_anothers()) {
      std::for_each(present.begin(), present.end(), know);
      return;
    }
    if (!ownership.is_ours_or_warn(container_kind(), [&](const net::Link* end) {
          return is_in_place(call, host, *link, end);
        })) {
      link.reset();
      return;
    }
    std::for_each(present.begin(), present.end(), know);
  });
  errors.attempt([&] {
    if (!addresses.empty() || !host.ipam().given()) return;
    for (const IpAddress& address : host.ipam().held().value_or(std::vector<IpAddress>())) {
      know(IpNet(address, address.is_v4() ? 32 : 128));
    }
  });
  // Rules first: their deletion's grace period then runs beside the link's (core/ARCHITECTURE.md,
  // "Netfilter").
  errors.attempt([&] { sweep(call, host, addresses); });
  const bool has_ipam = host.ipam().given();
  const bool through_link = has_ipam && host.ipam().needs_link();
  const auto give_back = [&] {
    errors.attempt([&] {
      if (through_link || !warned_of_living_address(call, host)) host.ipam().del();
    });
  };
  if (through_link) give_back();
  errors.attempt([&] {
    if (link) remove(call, host, *link);
  });
  if (has_ipam && !through_link) give_back();
  errors.finish();
}

/// The IPAM comes first: an address that isn't reserved any more may be given to another container
/// at any time, which is the worst that CHECK can find.
void LinkModule::check(const Call& call, Host& host) {
  if (host.ipam().given()) host.ipam().check();
  const Result& result = *call.prev_result;
  const Interface* recorded = find_interface(result, call.key.if_name, call.netns);
  if (recorded == nullptr) {
    throw Error(
        Code::invalid_config,
        fmt::format("prevResult has no interface {} with sandbox {}", call.key.if_name, call.netns),
        "CHECK must be called with the CNI_NETNS and CNI_IFNAME of ADD");
  }
  if (!has_link(call)) return;
  const auto link = net::find_link(host.container_links(), call.key.if_name);
  if (!link) {
    throw Error(Code::internal,
                fmt::format("interface {} is missing in {}", call.key.if_name, call.netns),
                "the attachment is broken: DEL and ADD it again");
  }
  // Somebody has put another link in place of ours under its name.
  if (container_kind() != nullptr && link->kind != container_kind()) {
    throw Error(
        Code::internal,
        fmt::format("{} is a {} link, not a {}, as {} makes it", call.key.if_name,
                    link->kind.empty() ? "physical" : link->kind, container_kind(), call.type),
        "another program replaced it, or the network's configuration names another plugin "
        "since ADD: run DEL and then ADD for the attachment");
  }
  require_same_mac(*recorded, *link);
  RenewedLease renewed;
  if (host.ipam().given()) renewed = host.ipam().renewed();
  Interface expected = *recorded;
  if (renewed.mtu != 0) expected.mtu = renewed.mtu;
  require_same_mtu(expected, *link);
  if (!link->up && is_up(call)) {
    throw Error(Code::internal, fmt::format("{} in {} is down", link->name, call.netns),
                fmt::format("ip -n <netns> link set {} up", link->name));
  }
  check_renewed(call, renewed, [&](const Call& now) { check_link(now, host, *link); });
  link_module::SeenRoutes routes(host);
  if (has_moved(call, result, renewed.addresses)) {
    link_module::require_addresses(call, host, renewed.addresses, *link, routes);
    return;
  }
  link_module::check_addresses(call, host, *link, routes);
  if (!renewed.routes) link_module::check_routes(call, routes);
}

MadeLink get_made_link(LinkAdd& add) {
  const net::Link link = net::get_link(add.host.container_links(), add.call.key.if_name);
  return {.link = link, .mac = link.mac, .mtu = link.mtu};
}

void LinkHooks::put_routes(const LinkAdd& add, net::Batch& batch) {
  const auto hops = reaches_all_gateways() ? link_module::Hops::reached : link_module::Hops::told;
  link_module::put_routes(add, batch, hops);
}

/// Removing one end of a veth takes the other one with it.
void LinkHooks::remove(const Call&, Host& host, const net::Link& container) {
  net::remove_link(host.container_links(), container.index);
}

/// Links, rules and folders of stale attachments are core's business, which knows them from the
/// journals (core/src/chain/collect.cc).
void LinkModule::gc(const Call&, Host& host) {
  if (host.ipam().given()) host.ipam().gc();
}

void LinkModule::status(const Call&, Host& host) {
  if (host.ipam().given()) host.ipam().status();
}

}  // namespace unicni
