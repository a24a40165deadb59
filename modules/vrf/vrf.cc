// vrf: puts the container's interface into a VRF, a routing domain of its own, and takes its
// routes along.
#include "unicni/net/vrf.h"

#include <fmt/core.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "config.h"
#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/route.h"
#include "unicni/net/rule.h"
#include "unicni/undo/lost_address.h"
#include "unicni/undo/removed_route.h"
#include "unicni/undo/vrf.h"
#include "unicni/undo/vrf_port.h"

namespace unicni::vrf {

namespace {

constexpr const char* kKind = "vrf";
constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";

std::set<std::uint32_t> tables_in_use(net::Netlink& links) {
  std::set<std::uint32_t> used;
  for (const net::Link& each : net::list_links(links, kKind)) {
    used.insert(net::find_vrf_table(links, each.name).value_or(0));
  }
  for (const Family family : {Family::v4, Family::v6}) {
    for (const net::Rule& rule : net::list_rules(links, family)) used.insert(rule.table);
    for (const net::RouteEntry& entry : net::list_routes(links, family, 0)) {
      used.insert(entry.route.table.value_or(RT_TABLE_MAIN));
    }
  }
  return used;
}

struct Vrf {
  net::Link link;
  std::uint32_t table = 0;
};

/// nullopt: there is no link of that name. Throws Error: it is something else.
std::optional<Vrf> find_vrf(net::Netlink& links, const VrfOptions& options) {
  const auto link = net::find_link(links, options.name);
  if (!link) return std::nullopt;
  if (link->kind != kKind) {
    throw Error(Code::invalid_config,
                fmt::format("vrfname: Netlink {} is not a VRF, it is a {} link", options.name,
                            link->kind.empty() ? "physical" : link->kind),
                "choose another \"vrfname\", or rename that link");
  }
  return Vrf{*link, net::find_vrf_table(links, options.name).value_or(0)};
}

Vrf ensure_vrf(Host& host, const VrfOptions& options) {
  net::Netlink& links = host.container_links();
  auto present = find_vrf(links, options);
  if (present && options.table != 0 && options.table != present->table) {
    throw Error(Code::invalid_config,
                fmt::format("VRF {} already exist with different routing table {}", options.name,
                            present->table),
                fmt::format("set \"table\" to that table instead of {}, leave it out, or choose "
                            "another \"vrfname\"",
                            options.table));
  }
  host.undo().announce(undo_vrf(options.name));
  if (present) return *present;
  const std::uint32_t table = options.table != 0 ? options.table : free_table(tables_in_use(links));
  net::LinkSpec spec;
  spec.name = options.name;
  net::Batch batch(links);
  net::add_vrf(batch, spec, table);
  try {
    batch.commit();
  } catch (Error& error) {
    if (batch.error_of(0) == EOPNOTSUPP) {
      error.advise(fmt::format("install the kernel module {} and load it with modprobe",
                               net::kVrf.kernel_module));
    }
    throw;
  }
  return {net::get_link(links, options.name), table};
}

/// What the kernel drops when the link becomes a port: all but the routes of its subnets.
struct Belongings {
  std::vector<IpNet> v6;
  std::vector<net::RouteEntry> routes;
};

Belongings belongings_of(net::Netlink& links, const net::Link& link) {
  Belongings found;
  for (const IpNet& each : net::list_addrs(links, link.index)) {
    if (!each.is_v4() && !each.address().is_link_local()) found.v6.push_back(each);
  }
  for (const Family family : {Family::v4, Family::v6}) {
    for (const net::RouteEntry& entry : net::list_routes(links, family, link.index)) {
      const bool kernels = entry.protocol == RTPROT_KERNEL;
      if (entry.route.table == RT_TABLE_MAIN && !kernels) found.routes.push_back(entry);
    }
  }
  // Gateways need the routes that lead to them.
  std::stable_partition(found.routes.begin(), found.routes.end(),
                        [](const net::RouteEntry& entry) { return !entry.route.gw.has_value(); });
  return found;
}

class VrfModule : public ChainedModule {
 public:
  void del(const Call& call, Host& host) override {
    if (host.container_netns() == nullptr) return;
    const auto& options = call.options<VrfOptions>();
    net::Netlink& links = host.container_links();
    const auto lock = lock_container(call, host);
    const auto vrf = net::find_link(links, options.name);
    if (!vrf || vrf->kind != kKind) return;
    const auto link = find_own_link(call, host);
    if (link && link->master == vrf->index) {
      net::Batch batch(links);
      net::set_master(batch, *link, {0, vrf->name});
      batch.commit();
    }
    if (net::list_ports(links, vrf->index).empty()) net::remove_link(links, vrf->index);
  }

  void check(const Call& call, Host& host) override {
    const auto& options = call.options<VrfOptions>();
    net::Netlink& links = host.container_links();
    const auto vrf = find_vrf(links, options);
    if (!vrf) {
      throw Error(Code::internal, fmt::format("VRF {} is missing in {}", options.name, call.netns),
                  kAddAgain);
    }
    if (options.table != 0 && options.table != vrf->table) {
      throw Error(
          Code::internal,
          fmt::format("VRF {} has table {}, not {}", options.name, vrf->table, options.table),
          kAddAgain);
    }
    if (net::get_link(links, call.key.if_name).master != vrf->link.index) {
      throw Error(
          Code::internal,
          fmt::format("failed to find {} associated to vrf {}", call.key.if_name, options.name),
          kAddAgain);
    }
    if (!vrf->link.up)
      throw Error(Code::internal, fmt::format("VRF {} is down", options.name),
                  fmt::format("ip -n <netns> link set {} up", options.name));
  }

  void status(const Call&, Host& host) override {
    if (net::knows_link_kind(host.host_links(), net::kVrf)) return;
    throw Error(Code::not_available, "the kernel has no VRFs",
                fmt::format("install the kernel module {} and load it with modprobe",
                            net::kVrf.kernel_module));
  }

 protected:
  void validate_options(const Call& call) override { vrf::validate(call.options<VrfOptions>()); }

  void apply(const Call& call, Host& host, Result&) override {
    const auto& options = call.options<VrfOptions>();
    net::Netlink& links = host.container_links();
    const net::Link link = net::get_link(links, call.key.if_name);
    const auto lock = lock_container(call, host);
    const auto present = find_vrf(links, options);
    if (link.master != 0 && (!present || present->link.index != link.master)) {
      const auto master = net::find_link(links, link.master);
      throw Error(Code::internal,
                  fmt::format("interface {} has already a master set: {}", link.name,
                              master ? master->name : "?"),
                  "take the interface out of that master, or remove the plugin vrf");
    }
    const Vrf vrf = ensure_vrf(host, options);
    if (link.master == 0) move(host, link, vrf);
  }

 private:
  static void move(Host& host, const net::Link& link, const Vrf& vrf) {
    net::Netlink& links = host.container_links();
    const Belongings belongings = belongings_of(links, link);
    // Undone from the last to the first: out of the VRF, then addresses, then routes.
    for (auto each = belongings.routes.rbegin(); each != belongings.routes.rend(); ++each) {
      host.undo().announce(undo_removed_route(link.name, *each));
    }
    for (const IpNet& each : belongings.v6) host.undo().announce(undo_lost_address(link, each));
    host.undo().announce(undo_vrf_port(link, vrf.link.name));
    net::Batch batch(links);
    net::set_master(batch, link, vrf.link);
    for (const IpNet& each : belongings.v6) {
      net::add_addr(batch, link, each, net::Dad::skip, true);
    }
    for (net::RouteEntry entry : belongings.routes) {
      entry.route.table = vrf.table;
      net::put_route(batch, link, entry);
    }
    batch.commit();
  }
};

constexpr const char* kSpecVersions[] = {"0.3.1", "0.4.0", "1.0.0", "1.1.0", nullptr};

}  // namespace

}  // namespace unicni::vrf

UNICNI_MODULE(vrf, chained, unicni::vrf::VrfModule, .options = &unicni::vrf::kVrfOptions,
              .traits = unicni::Trait::enters_container,
              .spec_versions = unicni::vrf::kSpecVersions);
