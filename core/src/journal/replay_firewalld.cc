#include "journal/replay_firewalld.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "journal/journal.h"
#include "journal/record_fields.h"
#include "journal/shared_links.h"
#include "unicni/error.h"
#include "unicni/netfilter/firewalld.h"
#include "unicni/undo/records.h"

namespace unicni::journal {
namespace {

bool is_held_by_another(const Undo& record, const std::vector<Undo>& remembered, Host& host) {
  const std::string& owner = field(record, "owner");
  return std::any_of(remembered.begin(), remembered.end(), [&](const Undo& other) {
    return optional_field(other, "zone") == field(record, "zone") &&
           optional_field(other, "address") == field(record, "address") &&
           optional_field(other, "owner") != owner &&
           !host.is_gone(std::string(optional_field(other, "owner")));
  });
}

}  // namespace

void remove_firewalld_sources(const std::vector<Undo>& records, Host& host) {
  constexpr std::chrono::seconds kPatience{10};
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  auto firewalld = net::Firewalld::find(deadline);
  if (!firewalld) return;
  // No ADD comes between the look and the removal: it holds the lock from its record on.
  const auto lock = lock_shared_links(kRunFolder, sys::LockMode::exclusive, deadline);
  const std::vector<Undo> remembered = host.remembered(kFirewalldSource, Steps::all);
  std::optional<Error> failure;
  for (const Undo& record : records) {
    try {
      const auto address = IpAddress::parse(field(record, "address"));
      if (!address) {
        throw Error(Code::internal, fmt::format("undo record \"{}\": \"{}\" is no address",
                                                record.type, field(record, "address")));
      }
      if (is_held_by_another(record, remembered, host)) continue;
      firewalld->remove_source({field(record, "zone"), *address});
    } catch (const Error& error) {
      if (!failure) failure = error;
    }
  }
  if (failure) throw Error(*failure);
}

}  // namespace unicni::journal
