#include "config.h"

#include <fmt/core.h>

#include "unicni/error.h"
#include "unicni/net/ipvlan.h"

namespace unicni::ipvlan {

namespace {

constexpr const char* kModes[] = {"l2", "l3", "l3s", "", nullptr};

constexpr Option kRows[] = {
    option<&IpvlanOptions::master>("master",
                                   "parent link; absent or \"\": the interface of prevResult, "
                                   "without prevResult the link of the first default route"),
    option<&IpvlanOptions::mode>("mode",
                                 "ipvlan mode: l2 switches frames, l3 routes past the host's "
                                 "netfilter, l3s routes through it; \"\": l2")
        .with_choices(kModes)
        .with_default("l2"),
    option<&IpvlanOptions::mtu>("mtu", "MTU in bytes of the interface; 0: the parent link's")
        .with_range(0, 65535)
        .with_default("0"),
    option<&IpvlanOptions::link_in_container>(
        "linkInContainer",
        "the parent link is in the container's network namespace instead of the host's")
        .with_default("false"),
    option<&IpvlanOptions::dns>("dns", "DNS settings for the result, in place of those from IPAM"),
};

}  // namespace

constinit const OptionTable kIpvlanOptions = option_table<IpvlanOptions>(kRows);

net::IpvlanMode mode_of(const IpvlanOptions& options) {
  if (options.mode == "l3") return net::IpvlanMode::l3;
  return options.mode == "l3s" ? net::IpvlanMode::l3s : net::IpvlanMode::l2;
}

ParentChoice parent_of(const IpvlanOptions& options, const std::optional<Result>& prev_result) {
  ParentChoice choice{options.master, options.link_in_container, options.mtu};
  if (!choice.master.empty() || !prev_result) return choice;
  std::size_t named = 0;
  for (const Interface& interface : prev_result->interfaces) {
    if (interface.name.empty()) continue;
    choice.master = interface.name;
    ++named;
  }
  if (named == 1) return choice;
  throw Error(Code::invalid_config,
              fmt::format("master: prevResult has {} named interfaces, it must be one", named),
              R"(name the parent link in the configuration: "master": "eth0")");
}

std::optional<Result> addresses_of(const std::optional<Result>& prev_result) {
  if (!prev_result || prev_result->ips.empty()) return std::nullopt;
  Result taken;
  taken.ips = prev_result->ips;
  taken.routes = prev_result->routes;
  taken.dns = prev_result->dns;
  return taken;
}

}  // namespace unicni::ipvlan
