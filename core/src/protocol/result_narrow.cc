#include "protocol/result_narrow.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "unicni/error.h"

namespace unicni::protocol {
namespace {

/// The first address of each family, with the routes of that family. Interfaces have no place in
/// this layout.
Result to_ip4_ip6(Result&& wide, SpecVersion version) {
  Result result;
  result.dns = std::move(wide.dns);
  for (const Family family : {Family::v4, Family::v6}) {
    for (const IpConfig& ip : wide.ips) {
      if (ip.address.family() != family) continue;
      result.ips.push_back({ip.address, ip.gateway, std::nullopt, {}});
      for (const Route& route : wide.routes) {
        if (route.dst.family() != family) continue;
        result.routes.push_back({});
        result.routes.back().dst = route.dst;
        result.routes.back().gw = route.gw;
      }
      break;
    }
  }
  if (result.ips.empty()) {
    throw Error(Code::invalid_config,
                fmt::format("cannot convert the result to {}: no valid IP addresses",
                            version_text(version)),
                "a cniVersion below 0.3.0 can only express results with an address: use IPAM, or "
                "0.3.0 or later");
  }
  return result;
}

}  // namespace

bool can_express_without_ips(SpecVersion version) {
  return result_family(version) != ResultFamily::ip4_ip6;
}

/// Down only: what a layout can't hold is dropped here, so that the journal has the very result
/// that the runtime saw.
Result narrowed(Result result, SpecVersion version) {
  switch (result_family(version)) {
    case ResultFamily::ip4_ip6:
      return to_ip4_ip6(std::move(result), version);
    case ResultFamily::versioned_ips:
      for (Interface& interface : result.interfaces) {
        interface.mtu = 0;
        interface.socket_path.clear();
        interface.pci_id.clear();
      }
      break;
    case ResultFamily::plain_ips:
      break;
  }
  return result;
}

}  // namespace unicni::protocol
