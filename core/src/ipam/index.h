// What the folder of a network holds, for look-ups that cost the same however much that is. The
// folder stays the truth: the index says nothing unless it matches the folder, and is made again
// from it otherwise (unicni/ipam/store.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipam/index_format.h"
#include "unicni/ip.h"

namespace unicni::ipam {

enum class EntryState : std::uint8_t {
  reserved = 1,  ///< has a file that names an owner, or one that can't be read
  resting,       ///< released not long ago: nobody else gets it yet
  remembered,    ///< released; kept for its sticky key as long as others are free
};

struct IndexEntry {
  IpAddress address;
  EntryState state = EntryState::reserved;
  bool unreadable = false;    ///< reserved, by nobody knows whom
  BootId boot{};              ///< in which it was reserved; all zero: not known
  std::uint64_t owner = 0;    ///< Index::hash of the attachment
  std::uint64_t sticky = 0;   ///< Index::hash of the key; 0: none
  std::uint64_t inode = 0;    ///< of the file; with `changed` it tells one file from another
  std::int64_t changed = 0;   ///< its ctime, nanoseconds
  std::int64_t released = 0;  ///< nanoseconds of the wall clock; not of reserved ones
};

class Index {
 public:
  /// The index beside the files of `folder`, if there is one that can be read; it may be out of
  /// date.
  static std::optional<Index> open(const std::string& folder, const BootId& boot);
  /// An empty one. It becomes a file with commit().
  Index(std::string folder, const BootId& boot, std::uint32_t slots, std::uint32_t blocks = 1);

  /// Everything in it can be believed: written to its end in this boot, and the folder has not been
  /// changed since. `folder_time` is the folder's modification time now.
  [[nodiscard]] bool matches(std::int64_t folder_time) const;
  /// The folder's modification time in nanoseconds; 0 if it has none.
  static std::int64_t folder_time(const std::string& folder);
  [[nodiscard]] const BootId& boot() const { return boot_; }
  /// It is a whole, of this boot, although the folder may have been changed since.
  [[nodiscard]] bool is_whole() const;

  [[nodiscard]] std::uint64_t hash(std::string_view text) const;
  [[nodiscard]] std::optional<IndexEntry> find(const IpAddress& address) const;
  [[nodiscard]] std::vector<IndexEntry> of_owner(std::uint64_t owner) const;
  [[nodiscard]] std::vector<IndexEntry> of_sticky(std::uint64_t sticky) const;
  /// Every entry that is readable, also of an index that isn't whole.
  void for_each(const std::function<void(const IndexEntry&)>& visit) const;
  void put(const IndexEntry& entry);  ///< new, or instead of the one of its address
  void erase(const IpAddress& address);

  /// The first address of [from, to] that none of `planes` has.
  using Planes = unsigned;  ///< bits 1 << Plane
  [[nodiscard]] std::optional<IpAddress> first_free(const IpAddress& from, const IpAddress& to,
                                                    Planes planes) const;
  /// How many addresses of [from, to] have a file that says something or perhaps does.
  [[nodiscard]] std::uint64_t count(const IpAddress& from, const IpAddress& to) const;
  [[nodiscard]] std::uint32_t reserved() const { return header().reserved; }
  [[nodiscard]] std::uint32_t stale() const { return header().stale; }
  [[nodiscard]] std::uint32_t remembered() const { return header().remembered.length; }

  /// Resting addresses, the one that was released first first; `visit` returns false to end.
  void for_each_resting(const std::function<bool(const IndexEntry&)>& visit) const;
  /// Ends the rest of what was released more than `rest` nanoseconds ago.
  void end_rests(std::int64_t rest, std::int64_t now);

  [[nodiscard]] bool has_nobodys() const { return header().nobodys != 0; }
  void set_nobodys(bool any);
  /// Whether the files are to be compared next time in any case.
  void set_unsure(bool any);

  /// Writes what has changed, and marks the folder so that a change by anybody else shows. Call it
  /// after the last change of the folder. An index that can't be written is left invalid: it is
  /// made again next time.
  void commit();
  /// An empty index with the same key, to be filled from this one; it replaces the file.
  [[nodiscard]] Index successor(std::uint32_t slots, std::uint32_t blocks = 1) const;

 private:
  Index(Pages pages, std::string folder, const BootId& boot);

  [[nodiscard]] const Header& header() const;
  Header& header();
  [[nodiscard]] const Slot& slot(std::uint32_t id) const;
  Slot& edit_slot(std::uint32_t id);
  [[nodiscard]] const Block& block(std::uint32_t id) const;
  Block& edit_block(std::uint32_t id);
  [[nodiscard]] const std::uint32_t& head(std::uint32_t number) const;
  std::uint32_t& edit_head(std::uint32_t number);

  [[nodiscard]] std::uint32_t bucket(Chain chain, std::uint64_t hash) const;
  [[nodiscard]] std::uint64_t address_hash(const IpAddress& address) const;
  [[nodiscard]] std::uint32_t find_slot(const IpAddress& address) const;
  template <class Match>
  [[nodiscard]] std::vector<IndexEntry> collect(Chain chain, std::uint64_t hash, Match match) const;
  void link(std::uint32_t id, Chain chain, std::uint64_t hash);
  void unlink(std::uint32_t id, Chain chain, std::uint64_t hash);
  void append(ListEnds Header::*list, std::uint32_t id);
  void drop(ListEnds Header::*list, std::uint32_t id);
  void enter(std::uint32_t id);  ///< into chains, list, counts and bits, by what the slot says
  void leave(std::uint32_t id);
  void erase_slot(std::uint32_t id);
  [[nodiscard]] Plane plane_of(const Slot& slot) const;

  [[nodiscard]] std::uint32_t find_block(const IpAddress& base) const;
  [[nodiscard]] std::uint32_t block_bucket(const IpAddress& base) const;
  void mark(const IpAddress& address, Plane plane, bool set);
  [[nodiscard]] bool has_room(const IpAddress& address) const;
  void grow();
  /// Chains that can't be: a damaged disk. Removes the file, so that the next verb makes it again.
  [[noreturn]] void give_up() const;

  void seal(std::int64_t folder_time);
  [[nodiscard]] bool write_pages();

  Pages pages_;
  Layout layout_;
  std::string folder_;
  BootId boot_;
};

}  // namespace unicni::ipam
