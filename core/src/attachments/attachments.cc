#include "unicni/attachments.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "attachments/liveness.h"
#include "attachments/shared_links.h"
#include "base/owner.h"
#include "ipam/reservation.h"
#include "journal/folder.h"
#include "journal/trust.h"
#include "unicni/net/link.h"

namespace unicni {
namespace {

/// The journal of the attachment that an owner's text names, in full or by a hash. `is_owner`:
/// false if it names none.
/// A hash can't be turned back into names, so all journals are gone through until one has it.
std::optional<journal::Entry> peek_owner(const std::string& folder, const std::string& owner,
                                         bool& is_owner) {
  is_owner = true;
  if (is_shortened_owner(owner)) {
    std::optional<journal::Entry> found;
    journal::peek_each(folder, [&](const journal::Entry& entry) {
      if (entry.key.comment() == owner) found = entry;
      return !found;
    });
    return found;
  }
  const auto key = AttachmentKey::parse(owner);
  is_owner = key.has_value();
  return key ? journal::peek(folder, *key) : std::nullopt;
}

}  // namespace

Attachments::Attachments(net::Namespaces& namespaces, std::optional<AttachmentKey> adding,
                         Folders folders)
    : namespaces_(namespaces), adding_(std::move(adding)), folders_(std::move(folders)) {}

/// Carefully: "gone" takes somebody's port or address away. Whatever can't be known is an
/// attachment that lives.
bool Attachments::is_gone(const std::string& owner) {
  bool is_owner = false;
  const auto entry = peek_owner(folders_.journals(), owner, is_owner);
  if (!is_owner) return false;
  if (!entry) return !journal::distrust_folder(folders_.journals());
  const journal::Place place = attachments::place_of(namespaces_);
  if (entry->place != place) return true;
  // A container has one namespace: another one was that of an earlier life of the same name. By
  // which path it is reached may change.
  const bool is_ours = adding_ && entry->key.container_id == adding_->container_id;
  const std::string identity = is_ours ? namespaces_.find_container_identity() : std::string();
  if (!identity.empty() && !entry->container_netns.empty()) {
    return entry->container_netns != identity;
  }
  if (attachments::life_of(*entry, place, namespaces_.host_netns()) != attachments::Life::gone) {
    return false;
  }
  return attachments::would_be_seen(entry->steps.back().netns_path) || !has_host_end(owner);
}

bool Attachments::has_host_end(const std::string& owner) {
  const auto links = net::list_links(namespaces_.host_links(), "veth");
  return std::any_of(links.begin(), links.end(),
                     [&](const net::Link& link) { return is_same_owner(link.alias, owner); });
}

bool Attachments::is_container_gone(const std::string& network, const std::string& container_id) {
  bool known = false;
  for (const AttachmentKey& key : journal::list_keys(folders_.journals(), network)) {
    if (key.container_id != container_id) continue;
    known = true;
    if (!is_gone(key.owner())) return false;
  }
  return known;
}

/// All networks are looked at: two of them may have equal subnets, and a rule that names an address
/// only doesn't say of which it is.
std::optional<bool> Attachments::is_reserved_for(const Attachment& owner,
                                                 const IpAddress& address) const {
  std::optional<bool> answer;
  std::error_code error;
  for (std::filesystem::directory_iterator network(folders_.reservations(), error), end;
       !error && network != end; network.increment(error)) {
    const auto file = ipam::read_reservation(network->path() / address.str());
    if (file.state != ipam::FileState::owned) continue;
    const bool is_same = owner.container_id == file.owner.container_id &&
                         (file.owner.if_name.empty() || owner.if_name == file.owner.if_name);
    answer = answer.value_or(false) || is_same;
  }
  return answer;
}

/// Without locks, so another verb may be in the middle of its work. Its records are announced
/// before the change, so they err to the side of "somebody needs it".
std::vector<Attachments::Announced> Attachments::list_records(std::string_view type, Steps steps,
                                                              std::size_t most) {
  const journal::Place place = attachments::place_of(namespaces_);
  std::vector<Announced> records;
  journal::peek_each(folders_.journals(), [&](const journal::Entry& entry) {
    if (entry.place != place) return true;
    for (const journal::RecordedStep& step : entry.steps) {
      if (steps == Steps::finished && step.result.empty()) continue;
      for (const Undo& record : step.undo) {
        if (record.type == type && records.size() < most) records.push_back({entry.key, record});
      }
    }
    return records.size() < most;
  });
  return records;
}

std::vector<Undo> Attachments::list_records_of(const AttachmentKey& key,
                                               std::string_view type) const {
  std::vector<Undo> records;
  const auto entry = journal::peek(folders_.journals(), key);
  if (!entry || entry->place != attachments::place_of(namespaces_)) return records;
  for (const journal::RecordedStep& step : entry->steps) {
    for (const Undo& record : step.undo) {
      if (record.type == type) records.push_back(record);
    }
  }
  return records;
}

std::vector<Attachments::Announced> Attachments::list_records_of_siblings(const AttachmentKey& key,
                                                                          std::string_view type) {
  std::vector<Announced> records;
  for (const AttachmentKey& sibling : journal::list_siblings(folders_.journals(), key)) {
    for (Undo& record : list_records_of(sibling, type)) {
      records.push_back({sibling, std::move(record)});
    }
  }
  return records;
}

bool Attachments::is_at_work(const AttachmentKey& key) const {
  return journal::is_locked(folders_.journals(), key);
}

std::optional<sys::Lock> Attachments::hold_shared_links(sys::LockMode mode,
                                                        Deadline deadline) const {
  return attachments::lock_shared_links(folders_.run, mode, deadline);
}

}  // namespace unicni
