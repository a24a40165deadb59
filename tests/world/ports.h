// Published ports as the world expects them: who claims which of the host's ports, who is in whose
// way.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/json.h"

namespace unicni::test::world {

/// A claim of one family.
struct Claim {
  bool v6 = false;
  std::string protocol;
  int port = 0;
  std::string address;  ///< of the host; empty: any of the family
  int container_port = 0;

  [[nodiscard]] bool overlaps(const Claim& other) const {
    return v6 == other.v6 && protocol == other.protocol && port == other.port &&
           (address.empty() || other.address.empty() || address == other.address);
  }
  [[nodiscard]] bool covers(const std::string& host_address, const std::string& proto,
                            int host_port) const;
};

/// The families that a container has, and whether its portmap gives clients the host's address.
/// Without that nobody gets answers from 127.0.0.1: our portmap leaves such a mapping out.
struct Served {
  bool v4 = true;
  bool v6 = true;
  bool loopback = true;
};
/// What a list of port mappings claims for such a container.
std::vector<Claim> claims_of(const Json& mappings, const Served& served);
/// Two of them that want one port of the host for different ports of the container.
bool contradicts_itself(const std::vector<Claim>& claims);
bool overlap(const std::vector<Claim>& some, const std::vector<Claim>& others);

}  // namespace unicni::test::world
