// CHECK of what ADD reported: addresses and routes of prevResult against the kernel.
#pragma once

#include <optional>
#include <vector>

#include "unicni/link_module.h"
#include "unicni/net/route.h"

namespace unicni::link_module {

/// The container's routes by any link, in any table: a later plugin, such as vrf or sbr, may have
/// moved them. Each family is listed at most once.
class SeenRoutes {
 public:
  explicit SeenRoutes(Host& host) : host_(host) {}
  const std::vector<net::RouteEntry>& of(Family family);

 private:
  Host& host_;
  std::optional<std::vector<net::RouteEntry>> v4_;
  std::optional<std::vector<net::RouteEntry>> v6_;
};

/// Every address of prevResult that belongs to this interface is on `link`, and while that is UP
/// there is a route to its subnet. Throws Error.
void check_addresses(const Call& call, Host& host, const net::Link& link, SeenRoutes& routes);

/// The same of addresses that an IPAM has got since.
void require_addresses(const Call& call, Host& host, const std::vector<IpNet>& addresses,
                       const net::Link& link, SeenRoutes& routes);

/// Every route of prevResult is in the container, in its table. What prevResult doesn't say isn't
/// compared. Throws Error.
void check_routes(const Call& call, SeenRoutes& routes);

}  // namespace unicni::link_module
