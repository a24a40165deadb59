#include "world/ports.h"

#include <algorithm>

namespace unicni::test::world {

bool Claim::covers(const std::string& host_address, const std::string& proto, int host_port) const {
  const bool is_v6 = host_address.find(':') != std::string::npos;
  return v6 == is_v6 && protocol == proto && port == host_port &&
         (address.empty() || address == host_address);
}

std::vector<Claim> claims_of(const Json& mappings, const Served& served) {
  std::vector<Claim> claims;
  for (const Json& mapping : mappings) {
    const std::string host_ip = mapping.value("hostIP", "");
    const bool any = host_ip.empty() || host_ip == "0.0.0.0" || host_ip == "::";
    const bool is_v6 = host_ip.find(':') != std::string::npos;
    if (host_ip == "127.0.0.1" && !served.loopback) continue;
    for (const bool family6 : {false, true}) {
      if (!(family6 ? served.v6 : served.v4)) continue;
      if (!host_ip.empty() && is_v6 != family6) continue;
      claims.push_back({family6, mapping.value("protocol", "tcp"), mapping.value("hostPort", 0),
                        any ? "" : host_ip, mapping.value("containerPort", 0)});
    }
  }
  return claims;
}

bool contradicts_itself(const std::vector<Claim>& claims) {
  for (std::size_t i = 0; i < claims.size(); ++i) {
    for (std::size_t k = i + 1; k < claims.size(); ++k) {
      if (claims[i].overlaps(claims[k]) && claims[i].container_port != claims[k].container_port) {
        return true;
      }
    }
  }
  return false;
}

bool overlap(const std::vector<Claim>& some, const std::vector<Claim>& others) {
  return std::ranges::any_of(some, [&](const Claim& one) {
    return std::ranges::any_of(others, [&](const Claim& other) { return one.overlaps(other); });
  });
}

}  // namespace unicni::test::world
