#include "undo/lease_now.h"

#include <algorithm>
#include <string>

#include "netfilter/nft/element.h"
#include "undo/kinds.h"
#include "undo/lease_file.h"
#include "undo/record_fields.h"

namespace unicni::undo {
namespace {

bool is_lease(const Undo& record) { return find_kind(record) == &kLeaseKind; }

}  // namespace

std::optional<LeaseNow> LeaseNow::find(const Undo& record) {
  if (!is_lease(record)) return std::nullopt;
  auto line = read_lease_file(std::string(optional_field(record, "file")));
  return line ? std::optional(LeaseNow(*std::move(line))) : std::nullopt;
}

/// A journal may hold steps of an earlier life.
std::optional<LeaseNow> LeaseNow::find(const std::vector<journal::RecordedStep>& steps) {
  std::optional<LeaseNow> latest;
  for (const journal::RecordedStep& step : steps) {
    const auto record = std::find_if(step.undo.begin(), step.undo.end(), is_lease);
    if (record != step.undo.end()) latest = find(*record);
  }
  return latest;
}

bool LeaseNow::has_given_up(const net::NftElement& element) const {
  return has_no_more(net::find_container_address(element));
}

bool LeaseNow::leads_to_given_up(const net::NftElement& port) const {
  return has_no_more(net::find_target_address(port));
}

/// A lease that is lost has no address. One of IPv6 that never was given took none from anybody:
/// what the attachment has of that family is another IPAM's.
bool LeaseNow::has_no_more(const std::optional<IpAddress>& address) const {
  if (!address) return false;
  const auto leased = IpNet::parse(line_.get(address->is_v4() ? "address" : "v6.address"));
  if (leased) return leased->address() != *address;
  return address->is_v4() || line_.get("v6.given") == "1";
}

}  // namespace unicni::undo
