#include "plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace unicni::portmap {

namespace {

const char* family_name(bool v4) { return v4 ? "IPv4 " : "IPv6 "; }

}  // namespace

Targets targets_of(const std::vector<IpNet>& addresses) {
  Targets targets;
  for (const IpNet& address : addresses) {
    auto& target = address.is_v4() ? targets.v4 : targets.v6;
    if (!target) target = address;
  }
  return targets;
}

namespace {

/// By reason, as many as there are.
std::vector<std::string> warnings_about(const std::vector<Mapping>& mappings, const Targets& known,
                                        const std::string& if_name) {
  constexpr std::size_t kMostNamed = 5;
  std::map<std::string, std::vector<const Mapping*>> reasons;
  for (const Mapping& mapping : mappings) {
    if (mapping.unservable != nullptr) {
      reasons[mapping.unservable].push_back(&mapping);
    } else if (!(mapping.v4 && known.v4) && !(mapping.v6 && known.v6)) {
      const char* family = mapping.v4 && mapping.v6 ? "" : family_name(mapping.v4);
      reasons[fmt::format("{} has no {}address", if_name, family)].push_back(&mapping);
    }
  }
  std::vector<std::string> warnings;
  for (const auto& [reason, whose] : reasons) {
    std::string text;
    for (std::size_t i = 0; i < std::min(whose.size(), kMostNamed); ++i) {
      text += (i == 0 ? "" : ", ") + describe(*whose[i]);
    }
    if (whose.size() > kMostNamed) text += fmt::format(" and {} more", whose.size() - kMostNamed);
    warnings.push_back(fmt::format("left out: {}: {}", text, reason));
  }
  return warnings;
}

}  // namespace

Plan plan_of(const Call& call, const Targets& known) {
  const auto& options = call.options<PortmapOptions>();
  const std::vector<Mapping> mappings = mappings_of(options);
  Plan plan;
  plan.known = known;
  plan.warnings = warnings_about(mappings, known, call.key.if_name);
  for (const Family family : {Family::v4, Family::v6}) {
    const auto& target = family == Family::v4 ? known.v4 : known.v6;
    if (!target) continue;
    std::optional<net::NftCondition> condition;
    const std::string text = condition_text(options, family);
    if (!text.empty()) condition = net::port_condition(family, text, call.key.owner());
    for (const Mapping& mapping : served_mappings(mappings, family)) {
      net::PublishedPort port;
      port.protocol = mapping.protocol;
      port.host_ip = mapping.host_ip;
      port.host_port = mapping.host_port;
      port.container = target->address();
      port.container_port = mapping.container_port;
      port.prefix = target->prefix_length();
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
  return plan;
}

}  // namespace unicni::portmap
