#include "chain/address_owner.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "ipam/reservation.h"
#include "journal/replay.h"

namespace unicni::chain {

namespace {

constexpr const char* kReservations = "/var/lib/cni/networks";

bool is_same(const Attachment& owner, const Attachment& reserved_for) {
  return owner.container_id == reserved_for.container_id &&
         (reserved_for.if_name.empty() || owner.if_name == reserved_for.if_name);
}

/// nullopt: it is reserved for nobody. If several networks have it, for `owner` where that is one
/// of them.
std::optional<bool> is_reserved_for(const Attachment& owner, const IpAddress& address) {
  std::optional<bool> answer;
  std::error_code error;
  for (std::filesystem::directory_iterator network(kReservations, error), end;
       !error && network != end; network.increment(error)) {
    const auto file = ipam::read_reservation(network->path() / address.str());
    if (file.state != ipam::FileState::owned) continue;
    answer = answer.value_or(false) || is_same(owner, file.owner);
  }
  return answer;
}

bool has_rules_for(const journal::Entry& entry, const IpAddress& address) {
  return std::any_of(entry.steps.begin(), entry.steps.end(), [&](const journal::Step& step) {
    return std::any_of(step.undo.begin(), step.undo.end(), [&](const Undo& record) {
      const auto addresses = journal::filtered_addresses(record);
      return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
    });
  });
}

}  // namespace

bool is_anothers(const Attachment& owner, const IpAddress& address, const journal::Place& place) {
  if (const auto reserved = is_reserved_for(owner, address)) return !*reserved;
  const auto entries = journal::peek_all(journal::kFolder);
  return std::any_of(entries.begin(), entries.end(), [&](const journal::Entry& entry) {
    return entry.place == place && !is_same(owner, {entry.key.container_id, entry.key.if_name}) &&
           has_rules_for(entry, address);
  });
}

}  // namespace unicni::chain
