// What GC does with a network's reservations, and how a single one is undone.
#include <unordered_set>

#include "ipam/index.h"
#include "ipam/reconcile.h"
#include "ipam/reservation.h"
#include "unicni/error.h"
#include "unicni/ipam/store.h"
#include "unicni/sys/file.h"

namespace unicni::ipam {

namespace {

constexpr const char* kRests = "yes";

const std::string& field(const Undo& record, std::string_view name) {
  for (const auto& [key, value] : record.fields) {
    if (key == name) return value;
  }
  throw Error(Code::internal,
              "undo record \"" + record.type + "\" has no \"" + std::string(name) + '"');
}

}  // namespace

std::vector<Error> Store::collect(const std::vector<Attachment>& valid, bool rests) {
  std::vector<Error> errors;
  if (!exists()) return errors;
  // A container id has no line end, so the old format's owner is never taken for one of the new.
  std::unordered_set<std::uint64_t> keep;
  keep.reserve(valid.size() * 2);
  for (const Attachment& each : valid) {
    keep.insert(index().hash(each.container_id));
    keep.insert(index().hash(print_owner(each)));
  }
  std::vector<Entry> gone;
  index().for_each([&](const Entry& entry) {
    if (entry.state == EntryState::reserved && !entry.unreadable && !keep.contains(entry.owner))
      gone.push_back(entry);
  });
  const auto attempt = [&](const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      errors.push_back(error);
    }
  };
  for (const Entry& entry : gone) {
    attempt([&] {
      const ReservationFile file = read_reservation(path(entry.address));
      if (file.state == FileState::unreadable) throw Error(Code::internal, file.problem);
      // Rewritten in place by somebody: what it says now counts.
      if (file.state == FileState::owned && keep.contains(index().hash(print_owner(file.owner))))
        return;
      sys::remove_file(path(entry.address));
      forget(entry, rests);
    });
  }
  if (!index().has_nobodys()) return errors;
  bool left = false;
  for (const std::string& name : sys::list_folder(folder_)) {
    const std::optional<IpAddress> address = reserved_by(name);
    if (!address || index().find(*address)) continue;
    attempt([&] { left = !remove_abandoned(*address) || left; });
  }
  index().set_nobodys(left);
  return errors;
}

Undo undo_reservation(const std::string& data_dir, const std::string& network,
                      const IpAddress& address, const std::string& content, bool rests) {
  return Undo{"reservation",
              1,
              false,
              {{"data_dir", data_dir},
               {"network", network},
               {"address", address.str()},
               {"content", content},
               {"rests", rests ? kRests : ""}}};
}

void release_recorded(const Undo& record, bool was_used, Deadline deadline) {
  const auto address = IpAddress::parse(field(record, "address"));
  if (!address) throw Error(Code::internal, "undo record of no address");
  Store store(field(record, "data_dir"), field(record, "network"), deadline, false);
  store.release_address(*address, field(record, "content"),
                        was_used && field(record, "rests") == kRests);
}

}  // namespace unicni::ipam
