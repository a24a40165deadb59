// The index file, byte by byte. It is read on the host that wrote it only, so its numbers are in
// the machine's order.
//
//   page 0     Header
//   then       bucket heads: one of each Chain for every slot, then one a block
//   then       blocks: which addresses of 512 neighbours are taken
//   then       slots: what is known of one address
//
// Records are numbered from 1, 0 is none. No record straddles pages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ipam/keyed_hash.h"
#include "ipam/pages.h"

namespace unicni::ipam {

// The reference's plugin reads this file as if it were a reservation. NUL bytes are in no container
// id, so it is nobody's.
inline constexpr std::array<char, 16> kMagic = {'\0', 'u', 'n', 'i', 'c',  'n', 'i',  ' ',
                                                'i',  'p', 'a', 'm', '\0', '1', '\r', '\n'};

using BootId = std::array<std::uint8_t, 16>;

enum class Chain : unsigned char { address, owner, sticky };
inline constexpr std::size_t kChains = 3;

/// First and last of a list of slots, oldest first.
struct ListEnds {
  std::uint32_t oldest;
  std::uint32_t newest;
  std::uint32_t length;
};

struct Header {
  std::array<char, 16> magic;
  std::uint64_t checksum;  ///< of all after it
  HashKey key;
  BootId boot;
  /// The folder's modification time after the last change of ours, nanoseconds; 0: somebody began
  /// to write this file and has not ended.
  std::int64_t folder_time;
  std::int64_t written;  ///< when this header was written
  std::uint32_t slots;   ///< capacity
  std::uint32_t blocks;
  std::uint32_t used_slots;  ///< all above this number were never used
  std::uint32_t used_blocks;
  std::uint32_t free_slot;  ///< a list by `next[0]`
  std::uint32_t free_block;
  std::uint32_t reserved;  ///< slots in state reserved
  std::uint32_t stale;     ///< of them those of an earlier boot, or of an unknown one
  std::uint32_t nobodys;   ///< 1: there were files that name nobody when the folder was last read
  std::uint32_t unsure;    ///< 1: a file could not be read then, which may pass
  ListEnds resting;
  ListEnds remembered;
};

struct Slot {
  std::uint8_t state;  ///< 0: free
  std::uint8_t family;
  std::array<std::uint8_t, 16> address;
  std::uint8_t unreadable;
  BootId boot;
  std::uint64_t checksum;  ///< of the fields that a rebuild keeps
  std::uint64_t owner;
  std::uint64_t sticky;
  std::uint64_t inode;
  std::int64_t changed;
  std::int64_t released;
  std::array<std::uint32_t, kChains> next;
  std::uint32_t older;
  std::uint32_t newer;
};

inline constexpr unsigned kBlockBits = 9;
inline constexpr std::size_t kBlockSize = 1U << kBlockBits;  ///< addresses

/// Why an address is not simply free.
enum class Plane : unsigned char {
  taken,       ///< in use, or resting
  stale,       ///< has a file that says nothing today
  remembered,  ///< free, but kept for a sticky key as long as others are
};
inline constexpr std::size_t kPlanes = 3;

struct Block {
  std::uint32_t next;
  std::uint8_t used;
  std::uint8_t family;
  std::array<std::uint8_t, 16> base;
  std::array<std::array<std::uint64_t, kBlockSize / 64>, kPlanes> bits;
};

static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) <= kPageSize);
static_assert(std::is_trivially_copyable_v<Slot> && sizeof(Slot) == 112);
static_assert(std::is_trivially_copyable_v<Block> && sizeof(Block) == 216);

inline constexpr std::uint32_t kHeadsOfPage = kPageSize / sizeof(std::uint32_t);
inline constexpr std::uint32_t kSlotsOfPage = kPageSize / sizeof(Slot);
inline constexpr std::uint32_t kBlocksOfPage = kPageSize / sizeof(Block);

/// Where the parts begin, in pages.
struct Layout {
  Layout(std::uint32_t slots, std::uint32_t blocks);
  std::uint32_t heads = 1;
  std::uint32_t blocks;
  std::uint32_t slots;
  std::uint32_t end;
};

}  // namespace unicni::ipam
