// sbr: source-based routing. What an interface's addresses send goes out by that interface: a rule
// for each address leads to a routing table of its own.
#include <fmt/core.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "config.h"
#include "plan.h"
#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/undo/added_route.h"
#include "unicni/undo/removed_route.h"
#include "unicni/undo/rule.h"

namespace unicni::sbr {

namespace {

Present look_around(net::Netlink& links, int link) {
  Present present;
  for (const Family family : {Family::v4, Family::v6}) {
    for (const net::Rule& rule : net::list_rules(links, family)) present.tables.insert(rule.table);
    for (const net::RouteEntry& entry : net::list_routes(links, family, 0)) {
      const std::uint32_t table = entry.route.table.value_or(RT_TABLE_MAIN);
      present.tables.insert(table);
      if (table == RT_TABLE_MAIN && entry.index == link) present.routes.push_back(entry);
    }
  }
  return present;
}

class Sbr : public ChainedModule {
 public:
  void del(const Call& call, Host& host) override {
    const auto link = find_own_link(call, host);
    if (!link) return;
    net::Netlink& links = host.container_links();
    const std::vector<IpNet> addresses = net::list_addrs(links, link->index);
    const auto& fixed = call.options<SbrOptions>().table;
    const auto lock = lock_container(call, host);
    net::Batch batch(links);
    for (const Family family : {Family::v4, Family::v6}) {
      for (const net::Rule& rule : net::list_rules(links, family)) {
        const bool ours = rule.from.prefix_length() == rule.from.address().bits() &&
                          (!fixed || rule.table == *fixed) &&
                          std::any_of(addresses.begin(), addresses.end(), [&](const IpNet& each) {
                            return each.address() == rule.from.address();
                          });
        if (ours) net::remove_rule(batch, rule);
      }
    }
    batch.commit();
  }

  void check(const Call& call, Host& host) override {
    const auto& options = call.options<SbrOptions>();
    net::Netlink& links = host.container_links();
    const net::Link link = net::get_link(links, call.key.if_name);
    for (const IpConfig& ip : addresses_of(call)) {
      const std::uint32_t table = require_rule(links, ip, options);
      if (!options.table) require_default_route(links, link, ip, options, table);
    }
  }

  void status(const Call&, Host& host) override {
    try {
      static_cast<void>(net::list_rules(host.host_links(), Family::v4));
    } catch (const Error& error) {
      throw Error(Code::not_available, error.msg(), error.details());
    }
  }

 protected:
  void validate_options(const Call& call) override { sbr::validate(call.options<SbrOptions>()); }

  void apply(const Call& call, Host& host, Result&) override {
    const std::vector<IpConfig> addresses = addresses_of(call);
    net::Netlink& links = host.container_links();
    const net::Link link = net::get_link(links, call.key.if_name);
    const auto lock = lock_container(call, host);
    const Present present = look_around(links, link.index);
    const Plan plan = make_plan(call.options<SbrOptions>(), addresses, link.index, present);
    net::Batch batch(links);
    for (const net::Rule& rule : plan.rules) {
      require_no_rule(links, rule);
      host.undo().announce(undo_rule(rule));
      net::add_rule(batch, rule);
    }
    for (const net::RouteEntry& entry : plan.added) {
      host.undo().announce(undo_added_route(link.name, entry));
      net::put_route(batch, link, entry);
    }
    // Only when all of the others are there: else the container would lose its network.
    batch.commit();
    for (const net::RouteEntry& entry : plan.removed) {
      host.undo().announce(undo_removed_route(link.name, entry));
      net::remove_route(batch, link, entry);
    }
    batch.commit();
  }

 private:
  /// Before the record, whose undo would remove somebody else's.
  static void require_no_rule(net::Netlink& links, const net::Rule& rule) {
    const auto rules = net::list_rules(links, rule.from.family());
    if (std::find(rules.begin(), rules.end(), rule) == rules.end()) return;
    throw Error(Code::internal,
                fmt::format("rule from {} lookup {} exists already", rule.from.str(), rule.table),
                "give the container another address, or DEL the attachment that the rule is of; if "
                "that is gone, remove the rule with `ip rule del`");
  }

  static std::uint32_t require_rule(net::Netlink& links, const IpConfig& ip,
                                    const SbrOptions& options) {
    const IpAddress& address = ip.address.address();
    for (const net::Rule& rule : net::list_rules(links, address.family())) {
      if (rule.from == IpNet(address, address.bits()) &&
          (!options.table || rule.table == *options.table)) {
        return rule.table;
      }
    }
    throw Error(Code::internal,
                options.table ? fmt::format("there is no rule from {} lookup {}", address.str(),
                                            *options.table)
                              : fmt::format("there is no rule from {}", address.str()),
                "the attachment is broken: DEL and ADD it again");
  }

  static void require_default_route(net::Netlink& links, const net::Link& link, const IpConfig& ip,
                                    const SbrOptions& options, std::uint32_t table) {
    Present nothing;
    SbrOptions same = options;
    same.add_source_hints = false;
    const Plan plan = make_plan(same, {ip}, link.index, nothing);
    if (plan.added.empty()) return;  // no gateway
    const auto& wanted = plan.added.back().route;
    for (const net::RouteEntry& entry : net::list_routes(links, ip.address.family(), link.index)) {
      if (entry.route.table == table && entry.route.dst.is_default() &&
          entry.route.gw == wanted.gw) {
        return;
      }
    }
    throw Error(Code::internal,
                fmt::format("table {} has no default route via {} dev {}", table, wanted.gw->str(),
                            link.name),
                "the attachment is broken: DEL and ADD it again");
  }
};

}  // namespace

}  // namespace unicni::sbr

UNICNI_MODULE(sbr, chained, unicni::sbr::Sbr, .options = &unicni::sbr::kSbrOptions,
              .traits = unicni::Trait::enters_container);
