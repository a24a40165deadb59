#include "plan.h"

#include <fmt/core.h>

#include "unicni/error.h"
#include "unicni/host_side.h"

namespace unicni::portmap {

namespace {

const char* family_name(Family family) { return family == Family::v4 ? "IPv4" : "IPv6"; }

}  // namespace

Targets targets_of(const Result& result, const std::string& if_name) {
  Targets targets;
  for (const IpNet& address : attachment_addresses(result, if_name)) {
    auto& target = address.is_v4() ? targets.v4 : targets.v6;
    if (!target) target = address;
  }
  return targets;
}

Plan plan_of(const Call& call, const Result& result, std::size_t& skipped) {
  const auto& options = call.options<PortmapOptions>();
  const Targets known = targets_of(result, call.if_name);
  Plan plan;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto& target = family == Family::v4 ? known.v4 : known.v6;
    std::optional<net::NftCondition> condition;
    const std::string text = condition_text(options, family);
    if (!text.empty()) condition = net::port_condition(family, text, call.owner());
    for (const Mapping& mapping : mappings_of(options)) {
      if (!(family == Family::v4 ? mapping.v4 : mapping.v6)) continue;
      if (!target && mapping.host_ip) {
        throw Error(Code::invalid_config,
                    fmt::format("portMappings: hostIP \"{}\" can't lead to {}, which has no {} "
                                "address",
                                mapping.host_ip->str(), call.if_name, family_name(family)),
                    "give the container an address of that family, or leave hostIP out");
      }
      if (!target) {
        if (!mapping.v4 || !mapping.v6) ++skipped;  // it was for this family alone
        continue;
      }
      net::PublishedPort port;
      port.protocol = mapping.protocol;
      port.host_ip = mapping.host_ip;
      port.host_port = mapping.host_port;
      port.container = target->address();
      port.container_port = mapping.container_port;
      port.snat = options.snat;
      port.masq_all = options.masq_all;
      if (options.mark_bit) port.mark_bit = static_cast<unsigned>(*options.mark_bit);
      if (condition) port.condition = condition->chain;
      const bool by_loopback = options.snat || options.masq_all;
      const bool here = !mapping.host_ip || mapping.host_ip->is_loopback();
      if (family == Family::v4) {
        plan.targets.v4 = target;
        plan.loopback4 |= here && by_loopback;
      } else {
        plan.targets.v6 = target;
        plan.loopback6 |= here && by_loopback && options.ipv6_loopback;
      }
      plan.ports.push_back(std::move(port));
    }
    const bool used =
        family == Family::v4 ? plan.targets.v4.has_value() : plan.targets.v6.has_value();
    if (condition && used) plan.conditions.push_back(*std::move(condition));
  }
  if (!known.v4 && !known.v6) skipped = options.mappings.size();
  return plan;
}

}  // namespace unicni::portmap
