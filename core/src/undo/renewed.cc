#include "undo/renewed.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "unicni/error.h"

namespace unicni {
namespace {

bool holds(const std::vector<IpNet>& addresses, const IpNet& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

/// "10.0.0.5 became 10.0.0.9", and "10.0.0.5/24 became 10.0.0.5/16".
std::string describe(const IpNet& old, const IpNet& now) {
  const bool same = old.address() == now.address();
  return same ? fmt::format("{} became {}", old.str(), now.str())
              : fmt::format("{} became {}", old.address().str(), now.address().str());
}

/// A lease has one address of each family. Returns what became of each; "": none changed.
std::string replace(std::vector<IpConfig>& ips, const RenewedLease& renewed) {
  std::string changes;
  for (const IpNet& address : renewed.addresses) {
    const auto is_known = [&](const IpConfig& ip) { return ip.address == address; };
    if (std::any_of(ips.begin(), ips.end(), is_known)) continue;
    const auto old = std::find_if(ips.begin(), ips.end(), [&](const IpConfig& ip) {
      return ip.address.address().is_v4() == address.address().is_v4() &&
             !holds(renewed.addresses, ip.address);
    });
    if (old == ips.end()) continue;
    changes += (changes.empty() ? "" : ", ") + describe(old->address, address);
    old->address = address;
  }
  return changes;
}

}  // namespace

void check_renewed(const Call& call, const RenewedLease& renewed,
                   const std::function<void(const Call&)>& check) {
  if (!call.prev_result || renewed.addresses.empty()) return check(call);
  Call now = call;
  const std::string changes = replace(now.prev_result->ips, renewed);
  if (changes.empty()) return check(call);
  try {
    check(now);
  } catch (const Error& error) {
    const std::string more = error.details().empty() ? "" : "; " + error.details();
    throw Error(error.code(),
                fmt::format("{} at a renewal of the DHCP lease, which {} doesn't follow: {}",
                            changes, call.type, error.msg()),
                "DEL and ADD the attachment again" + more);
  }
}

}  // namespace unicni
