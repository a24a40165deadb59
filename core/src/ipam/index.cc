#include "ipam/index.h"

#include <algorithm>
#include <utility>

namespace unicni::ipam {

namespace {

// A sticky key is forgotten when that many younger ones are remembered: names of pods never end.
constexpr std::uint32_t kMostRemembered = 65'536;

/// Any number that is never all zeroes would do: a page of zeroes must not have a valid checksum.
constexpr std::uint64_t kChecksumSeed = 0x756e69636e692121U;

/// Chains and lists are left out: a rebuild makes them anew, and a slot whose neighbours changed
/// must not become invalid by that.
std::uint64_t checksum_of(const Slot& slot) {
  Slot kept{};
  kept.state = slot.state;
  kept.family = slot.family;
  kept.address = slot.address;
  kept.unreadable = slot.unreadable;
  kept.boot = slot.boot;
  kept.owner = slot.owner;
  kept.sticky = slot.sticky;
  kept.inode = slot.inode;
  kept.changed = slot.changed;
  kept.released = slot.released;
  return keyed_hash({kChecksumSeed, 0}, {reinterpret_cast<const char*>(&kept), sizeof kept});
}

/// An IPv4 address stands in the first four bytes, the rest are zero, so that equal addresses have
/// equal bytes.
IpAddress address_of(std::uint8_t family, const std::array<std::uint8_t, 16>& bytes) {
  if (family == 6) return IpAddress::v6(bytes);
  return IpAddress::v4(std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U |
                       std::uint32_t{bytes[2]} << 8U | bytes[3]);
}

std::array<std::uint8_t, 16> bytes_of(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(address.data(), address.size(), bytes.begin());
  return bytes;
}

IndexEntry entry_of(const Slot& slot) {
  return {address_of(slot.family, slot.address),
          static_cast<EntryState>(slot.state),
          slot.unreadable != 0,
          slot.boot,
          slot.owner,
          slot.sticky,
          slot.inode,
          slot.changed,
          slot.released};
}

void fill(Slot& slot, const IndexEntry& entry) {
  slot.state = static_cast<std::uint8_t>(entry.state);
  slot.family = static_cast<std::uint8_t>(entry.address.family());
  slot.address = bytes_of(entry.address);
  slot.unreadable = entry.unreadable ? 1 : 0;
  slot.boot = entry.boot;
  slot.owner = entry.owner;
  slot.sticky = entry.sticky;
  slot.inode = entry.inode;
  slot.changed = entry.changed;
  slot.released = entry.released;
  slot.checksum = checksum_of(slot);
}

}  // namespace

/// Keyed with random numbers of this file: names of containers come from outside, and nobody can
/// choose them such that all fall into one chain.
std::uint64_t Index::hash(std::string_view text) const { return keyed_hash(header().key, text); }

std::uint64_t Index::address_hash(const IpAddress& address) const {
  return hash({reinterpret_cast<const char*>(address.data()), address.size()});
}

/// One table of heads holds all three chains one behind the other.
std::uint32_t Index::bucket(Chain chain, std::uint64_t hash) const {
  const std::uint32_t slots = header().slots;
  return static_cast<std::uint32_t>(chain) * slots + static_cast<std::uint32_t>(hash % slots);
}

std::uint32_t Index::find_slot(const IpAddress& address) const {
  const auto bytes = bytes_of(address);
  const auto family = static_cast<std::uint8_t>(address.family());
  std::uint32_t id = head(bucket(Chain::address, address_hash(address)));
  for (std::uint32_t steps = 0; id != 0; ++steps) {
    // A chain longer than there are slots has a loop: the file is damaged, and without this the
    // verb would never end.
    if (steps > header().slots) give_up();
    const Slot& found = slot(id);
    if (found.family == family && found.address == bytes) return id;
    id = found.next[0];
  }
  return 0;
}

template <class Match>
std::vector<IndexEntry> Index::collect(Chain chain, std::uint64_t hash, Match match) const {
  std::vector<IndexEntry> result;
  std::uint32_t id = head(bucket(chain, hash));
  for (std::uint32_t steps = 0; id != 0; ++steps) {
    if (steps > header().slots) give_up();
    const Slot& found = slot(id);
    if (match(found)) result.push_back(entry_of(found));
    id = found.next[static_cast<std::size_t>(chain)];
  }
  std::sort(result.begin(), result.end(),
            [](const IndexEntry& a, const IndexEntry& b) { return a.address < b.address; });
  return result;
}

std::optional<IndexEntry> Index::find(const IpAddress& address) const {
  const std::uint32_t id = find_slot(address);
  return id == 0 ? std::nullopt : std::optional(entry_of(slot(id)));
}

std::vector<IndexEntry> Index::of_owner(std::uint64_t owner) const {
  return collect(Chain::owner, owner, [&](const Slot& slot) { return slot.owner == owner; });
}

std::vector<IndexEntry> Index::of_sticky(std::uint64_t sticky) const {
  return collect(Chain::sticky, sticky, [&](const Slot& slot) { return slot.sticky == sticky; });
}

/// Goes over the slots as they lie, without chains: this is how entries are saved from a file whose
/// links may be damaged. Only slots with a right checksum count.
void Index::for_each(const std::function<void(const IndexEntry&)>& visit) const {
  const std::uint32_t used = std::min(header().used_slots, header().slots);
  for (std::uint32_t id = 1; id <= used; ++id) {
    const Slot& each = slot(id);
    if (each.state == 0 || each.state > static_cast<std::uint8_t>(EntryState::remembered)) continue;
    if (each.checksum == checksum_of(each)) visit(entry_of(each));
  }
}

void Index::link(std::uint32_t id, Chain chain, std::uint64_t hash) {
  std::uint32_t& first = edit_head(bucket(chain, hash));
  edit_slot(id).next[static_cast<std::size_t>(chain)] = first;
  first = id;
}

/// Chains have no backward links, so the one before is looked for. They are short: there are as
/// many heads as slots.
void Index::unlink(std::uint32_t id, Chain chain, std::uint64_t hash) {
  const auto way = static_cast<std::size_t>(chain);
  const std::uint32_t from = bucket(chain, hash);
  const std::uint32_t after = slot(id).next[way];
  if (head(from) == id) {
    edit_head(from) = after;
    return;
  }
  std::uint32_t each = head(from);
  for (std::uint32_t steps = 0; each != 0 && steps <= header().slots; ++steps) {
    const std::uint32_t next = slot(each).next[way];
    if (next == id) {
      edit_slot(each).next[way] = after;
      return;
    }
    each = next;
  }
  // The slot must be in the chain of its own hash. Where it isn't, links were written half.
  give_up();
}

/// Entries come in the order of their release, so the list is sorted by time without a search.
void Index::append(ListEnds Header::*list, std::uint32_t id) {
  ListEnds& ends = header().*list;
  Slot& added = edit_slot(id);
  added.older = ends.newest;
  added.newer = 0;
  if (ends.newest != 0) {
    edit_slot(ends.newest).newer = id;
  } else {
    ends.oldest = id;
  }
  ends.newest = id;
  ++ends.length;
}

void Index::drop(ListEnds Header::*list, std::uint32_t id) {
  ListEnds& ends = header().*list;
  const std::uint32_t older = slot(id).older;
  const std::uint32_t newer = slot(id).newer;
  (older != 0 ? edit_slot(older).newer : ends.oldest) = newer;
  (newer != 0 ? edit_slot(newer).older : ends.newest) = older;
  --ends.length;
}

/// An entry of another boot isn't "taken", although its file is there: no container outlives its
/// kernel.
Plane Index::plane_of(const Slot& slot) const {
  switch (static_cast<EntryState>(slot.state)) {
    case EntryState::reserved:
      return slot.unreadable != 0 || slot.boot == boot_ ? Plane::taken : Plane::stale;
    case EntryState::resting:
      return Plane::taken;
    case EntryState::remembered:
      break;
  }
  return Plane::remembered;
}

/// enter() and leave() are mirror images. All that follows from a slot's fields (chains, lists,
/// counters, bitmaps) is entered here, so a field is changed only between leave() and enter().
void Index::enter(std::uint32_t id) {
  const Slot& entered = slot(id);
  const IpAddress address = address_of(entered.family, entered.address);
  link(id, Chain::address, address_hash(address));
  if (entered.owner != 0) link(id, Chain::owner, entered.owner);
  if (entered.sticky != 0) link(id, Chain::sticky, entered.sticky);
  const Plane plane = plane_of(entered);
  const auto state = static_cast<EntryState>(entered.state);
  if (state == EntryState::resting) append(&Header::resting, id);
  if (state == EntryState::remembered) append(&Header::remembered, id);
  header().reserved += state == EntryState::reserved ? 1U : 0U;
  header().stale += plane == Plane::stale ? 1U : 0U;
  mark(address, plane, true);
}

void Index::leave(std::uint32_t id) {
  const Slot& left = slot(id);
  const IpAddress address = address_of(left.family, left.address);
  unlink(id, Chain::address, address_hash(address));
  if (left.owner != 0) unlink(id, Chain::owner, left.owner);
  if (left.sticky != 0) unlink(id, Chain::sticky, left.sticky);
  const Plane plane = plane_of(left);
  const auto state = static_cast<EntryState>(left.state);
  if (state == EntryState::resting) drop(&Header::resting, id);
  if (state == EntryState::remembered) drop(&Header::remembered, id);
  header().reserved -= state == EntryState::reserved ? 1U : 0U;
  header().stale -= plane == Plane::stale ? 1U : 0U;
  mark(address, plane, false);
}

/// A slot is taken from the list of freed ones first, so the file grows with the most that ever was
/// at once and not with every release.
void Index::put(const IndexEntry& entry) {
  std::uint32_t id = find_slot(entry.address);
  if (id != 0) {
    leave(id);
  } else {
    if (!has_room(entry.address)) grow();
    id = header().free_slot;
    if (id != 0) {
      header().free_slot = slot(id).next[0];
    } else {
      id = ++header().used_slots;
    }
  }
  fill(edit_slot(id), entry);
  enter(id);
  // One at most: each put() adds one at most.
  if (header().remembered.length > kMostRemembered) erase_slot(header().remembered.oldest);
}

void Index::erase_slot(std::uint32_t id) {
  leave(id);
  Slot& freed = edit_slot(id);
  freed = Slot{};
  freed.next[0] = header().free_slot;
  header().free_slot = id;
}

void Index::erase(const IpAddress& address) {
  if (const std::uint32_t id = find_slot(address)) erase_slot(id);
}

void Index::for_each_resting(const std::function<bool(const IndexEntry&)>& visit) const {
  std::uint32_t id = header().resting.oldest;
  for (std::uint32_t steps = 0; id != 0 && steps < header().resting.length; ++steps) {
    if (steps > header().slots) give_up();
    const Slot& each = slot(id);
    if (!visit(entry_of(each))) return;
    id = each.newer;
  }
}

/// The list is sorted by time, so the walk ends at the first one that must rest longer.
void Index::end_rests(std::int64_t rest, std::int64_t now) {
  const Header& all = std::as_const(*this).header();
  std::uint32_t steps = 0;
  for (std::uint32_t id = all.resting.oldest; id != 0; id = all.resting.oldest) {
    // Each step takes one from the list, else it is damaged: it may still lead to what was taken.
    if (++steps > all.slots) give_up();
    const Slot& oldest = slot(id);
    // From the future: the clock was set back, and nobody knows for how long it has rested.
    if (oldest.released <= now && now - oldest.released < rest) return;
    IndexEntry entry = entry_of(oldest);
    if (entry.sticky == 0) {
      erase_slot(id);
    } else {
      entry.state = EntryState::remembered;
      put(entry);
    }
  }
}

/// Reading the flag first keeps a page clean that need not be written.
void Index::set_nobodys(bool any) {
  const std::uint32_t value = any ? 1 : 0;
  if (std::as_const(*this).header().nobodys != value) header().nobodys = value;
}

void Index::set_unsure(bool any) {
  const std::uint32_t value = any ? 1 : 0;
  if (std::as_const(*this).header().unsure != value) header().unsure = value;
}

/// Into a file of twice the size, entry by entry. Numbers of slots change by that, so whoever holds
/// one across put() holds a wrong one.
void Index::grow() {
  const Header& all = std::as_const(*this).header();
  const bool full = all.free_slot == 0 && all.used_slots >= all.slots;
  Index bigger = full ? successor(all.slots * 2, all.blocks) : successor(all.slots, all.blocks * 2);
  for_each([&](const IndexEntry& entry) {
    // In the order of the slots; those of the lists come in the order of the lists, below.
    if (entry.state == EntryState::reserved) bigger.put(entry);
  });
  for (const auto list : {&Header::resting, &Header::remembered}) {
    std::uint32_t steps = 0;
    for (std::uint32_t id = (all.*list).oldest; id != 0; id = slot(id).newer) {
      if (++steps > all.slots) give_up();
      bigger.put(entry_of(slot(id)));
    }
  }
  bigger.set_nobodys(has_nobodys());
  bigger.set_unsure(all.unsure != 0);
  *this = std::move(bigger);
}

}  // namespace unicni::ipam
