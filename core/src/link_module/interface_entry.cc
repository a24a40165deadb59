#include "unicni/interface_entry.h"

#include <fmt/core.h>

#include "protocol/version.h"
#include "unicni/error.h"

namespace unicni {

const Interface* find_interface(const Result& result, const std::string& name,
                                const std::string& sandbox) {
  for (const Interface& interface : result.interfaces) {
    if (interface.name == name && interface.sandbox == sandbox) return &interface;
  }
  return nullptr;
}

bool tells_devices(const Call& call) {
  const auto version = protocol::find_version(call.spec_version);
  return version && *version >= protocol::SpecVersion::v1_1_0;
}

Interface host_interface(const Call& call, const std::string& name, const Mac& mac,
                         std::uint32_t mtu) {
  Interface interface;
  interface.name = name;
  if (!mac.is_zero()) interface.mac = mac.str();
  if (tells_devices(call)) interface.mtu = mtu;
  return interface;
}

Interface container_interface(const Call& call, const Mac& mac, std::uint32_t mtu) {
  Interface interface = host_interface(call, call.key.if_name, mac, mtu);
  interface.sandbox = call.netns;
  return interface;
}

/// Compared as bytes: other makers write MAC addresses in upper case, and a MAC that can't be read
/// is a difference.
void require_same_mac(const Interface& recorded, const net::Link& link) {
  if (recorded.mac.empty()) return;
  const auto mac = Mac::parse(recorded.mac);
  if (mac && *mac == link.mac) return;
  throw Error(Code::internal, fmt::format("{} has MAC {}, prevResult says {}", link.name,
                                          link.mac.str(), recorded.mac));
}

/// Results before 1.1.0 have no MTU, which reads as 0.
void require_same_mtu(const Interface& recorded, const net::Link& link) {
  if (recorded.mtu == 0 || recorded.mtu == link.mtu) return;
  throw Error(Code::internal,
              fmt::format("{} has MTU {}, prevResult says {}", link.name, link.mtu, recorded.mtu));
}

void require_mtu(std::int64_t configured, const net::Link& link) {
  if (configured == 0 || configured == static_cast<std::int64_t>(link.mtu)) return;
  throw Error(Code::internal, fmt::format("{} has MTU {}, the configuration says {}", link.name,
                                          link.mtu, configured));
}

}  // namespace unicni
