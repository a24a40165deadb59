// What GC does with a network's reservations, and how a single one is undone.
#include <algorithm>
#include <string>
#include <string_view>

#include "ipam/index.h"
#include "ipam/reconcile.h"
#include "ipam/reservation.h"
#include "unicni/errors.h"
#include "unicni/ipam/store.h"
#include "unicni/sys/file.h"

namespace unicni::ipam {

namespace {

/// The old format names the container alone, so any listed attachment of the container keeps it.
bool is_valid(const ValidAttachments& valid, const Attachment& owner) {
  return owner.if_name.empty() ? valid.contains_container(owner.container_id)
                               : valid.contains(owner);
}

/// Reservations that, by what the index knows of their owners, are of none of `valid`. The list may
/// be long: it is walked once, and what is looked up is few.
std::vector<IndexEntry> invalid_entries(const Index& index, const ValidAttachments& valid) {
  std::vector<IndexEntry> entries;
  index.for_each([&](const IndexEntry& entry) {
    if (entry.state == EntryState::reserved && !entry.unreadable) entries.push_back(entry);
  });
  const auto before = [](const IndexEntry& a, const IndexEntry& b) { return a.owner < b.owner; };
  std::sort(entries.begin(), entries.end(), before);
  std::vector<bool> is_kept(entries.size());
  const auto keep = [&](std::string_view owner) {
    IndexEntry named;
    named.owner = index.hash(owner);
    const auto [first, last] = std::equal_range(entries.begin(), entries.end(), named, before);
    for (auto entry = first; entry != last; ++entry)
      is_kept[static_cast<std::size_t>(entry - entries.begin())] = true;
  };
  if (!entries.empty()) {
    // A container id has no line end, so the old format's owner is never taken for one of the new.
    valid.for_each([&](std::string_view container_id, std::string_view if_name) {
      keep(container_id);
      keep(print_owner({std::string(container_id), std::string(if_name)}));
    });
  }
  std::vector<IndexEntry> result;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!is_kept[i]) result.push_back(entries[i]);
  }
  return result;
}

}  // namespace

/// A file that can't be removed keeps none of the others.
Errors Store::collect(const ValidAttachments& valid, bool rests) {
  Errors errors;
  if (!exists()) return errors;
  for (const IndexEntry& entry : invalid_entries(index(), valid)) {
    errors.attempt([&] {
      const ReservationFile file = read_reservation(path(entry.address));
      if (file.state == FileState::unreadable) throw Error(Code::internal, file.problem);
      // Rewritten in place by somebody, or of a name that no list can tell: what it says counts.
      if (file.state == FileState::owned && is_valid(valid, file.owner)) return;
      sys::remove_file(path(entry.address));
      forget(entry, rests);
    });
  }
  if (!index().has_nobodys()) return errors;
  bool left = false;
  for (const std::string& name : sys::list_folder(folder_)) {
    const std::optional<IpAddress> address = reserved_by(name);
    if (!address || index().find(*address)) continue;
    errors.attempt([&] { left = !remove_abandoned(*address) || left; });
  }
  index().set_nobodys(left);
  return errors;
}

}  // namespace unicni::ipam
