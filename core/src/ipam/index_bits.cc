// The index's bitmaps: blocks of neighbouring addresses, so that a run of taken ones is passed in
// steps of a block, also in subnets of any size.
#include <algorithm>
#include <bit>
#include <utility>

#include "ipam/index.h"

namespace unicni::ipam {

namespace {

constexpr std::size_t kWordBits = 64;
using Words = std::array<std::uint64_t, kBlockSize / kWordBits>;

/// Blocks begin at multiples of their size, so base and offset follow from the address alone.
std::size_t offset_in_block(const IpAddress& address) {
  const std::uint8_t* bytes = address.data();
  const std::size_t size = address.size();
  return (std::size_t{bytes[size - 2]} << 8U | bytes[size - 1]) % kBlockSize;
}

IpAddress base_of(const IpAddress& address) {
  return *address.plus(-static_cast<std::int64_t>(offset_in_block(address)));
}

std::array<std::uint8_t, 16> bytes_of(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(address.data(), address.size(), bytes.begin());
  return bytes;
}

/// The first clear bit of [first, last]; kBlockSize if all are set.
std::size_t first_clear(const Words& words, std::size_t first, std::size_t last) {
  for (std::size_t word = first / kWordBits; word <= last / kWordBits; ++word) {
    std::uint64_t clear = ~words[word];
    if (word == first / kWordBits) clear &= ~std::uint64_t{0} << (first % kWordBits);
    if (clear == 0) continue;
    const auto bit = word * kWordBits + static_cast<std::size_t>(std::countr_zero(clear));
    return bit <= last ? bit : kBlockSize;
  }
  return kBlockSize;
}

std::uint64_t count_set(const Words& words, std::size_t first, std::size_t last) {
  std::uint64_t count = 0;
  for (std::size_t bit = first; bit <= last; ++bit) {
    count += words[bit / kWordBits] >> (bit % kWordBits) & 1U;
  }
  return count;
}

/// The last address of the block that begins at `base`, or `to` if that comes first.
IpAddress block_end(const IpAddress& base, const IpAddress& to) {
  const auto last = base.plus(static_cast<std::int64_t>(kBlockSize) - 1);
  return last && *last < to ? *last : to;
}

}  // namespace

std::uint32_t Index::block_bucket(const IpAddress& base) const {
  const Header& all = header();
  return static_cast<std::uint32_t>(kChains) * all.slots +
         static_cast<std::uint32_t>(address_hash(base) % all.blocks);
}

std::uint32_t Index::find_block(const IpAddress& base) const {
  const auto bytes = bytes_of(base);
  const auto family = static_cast<std::uint8_t>(base.family());
  std::uint32_t id = head(block_bucket(base));
  for (std::uint32_t steps = 0; id != 0 && steps <= header().blocks; ++steps) {
    const Block& found = block(id);
    if (found.family == family && found.base == bytes) return id;
    id = found.next;
  }
  return 0;
}

/// A block is needed only for the first address of a neighbourhood.
bool Index::has_room(const IpAddress& address) const {
  const Header& all = header();
  if (all.free_slot == 0 && all.used_slots >= all.slots) return false;
  return all.free_block != 0 || all.used_blocks < all.blocks || find_block(base_of(address)) != 0;
}

void Index::mark(const IpAddress& address, Plane plane, bool set) {
  const IpAddress base = base_of(address);
  std::uint32_t id = find_block(base);
  if (id == 0) {
    id = std::as_const(*this).header().free_block;
    if (id != 0) {
      header().free_block = block(id).next;
    } else {
      id = ++header().used_blocks;
    }
    std::uint32_t& first = edit_head(block_bucket(base));
    Block& made = edit_block(id);
    made = Block{};
    made.used = 1;
    made.family = static_cast<std::uint8_t>(base.family());
    made.base = bytes_of(base);
    made.next = first;
    first = id;
  }
  Block& marked = edit_block(id);
  const std::size_t bit = offset_in_block(address);
  std::uint64_t& word = marked.bits[static_cast<std::size_t>(plane)][bit / kWordBits];
  const std::uint64_t mask = std::uint64_t{1} << (bit % kWordBits);
  word = set ? word | mask : word & ~mask;
  if (set) return;
  const auto is_empty = [](const Words& words) {
    return std::all_of(words.begin(), words.end(), [](std::uint64_t each) { return each == 0; });
  };
  if (!std::all_of(marked.bits.begin(), marked.bits.end(), is_empty)) return;
  // Nobody needs it: a pool of IPv6 wanders through its subnet for ever.
  std::uint32_t* from = &edit_head(block_bucket(base));
  for (std::uint32_t steps = 0; *from != id; ++steps) {
    if (*from == 0 || steps > std::as_const(*this).header().blocks) give_up();
    from = &edit_block(*from).next;
  }
  *from = marked.next;
  marked = Block{};
  marked.next = header().free_block;
  header().free_block = id;
}

/// Where no block is, all addresses are free. A full /16 is passed in 128 steps, and an empty /64
/// in one.
std::optional<IpAddress> Index::first_free(const IpAddress& from, const IpAddress& to,
                                           Planes planes) const {
  IpAddress at = from;
  for (;;) {
    const IpAddress base = base_of(at);
    const std::uint32_t id = find_block(base);
    if (id == 0) return at;
    const Block& found = block(id);
    Words set{};
    for (std::size_t plane = 0; plane < kPlanes; ++plane) {
      if ((planes >> plane & 1U) == 0) continue;
      for (std::size_t word = 0; word < set.size(); ++word) set[word] |= found.bits[plane][word];
    }
    const IpAddress last = block_end(base, to);
    const std::size_t bit = first_clear(set, offset_in_block(at), offset_in_block(last));
    if (bit < kBlockSize) return base.plus(static_cast<std::int64_t>(bit));
    if (last == to) return std::nullopt;
    at = *last.plus(1);
  }
}

std::uint64_t Index::count(const IpAddress& from, const IpAddress& to) const {
  std::uint64_t sum = 0;
  const auto add = [&](const Block& block, const IpAddress& first, const IpAddress& last) {
    for (const Plane plane : {Plane::taken, Plane::stale}) {
      sum += count_set(block.bits[static_cast<std::size_t>(plane)], offset_in_block(first),
                       offset_in_block(last));
    }
  };
  // A subnet of IPv6 has more blocks than there can be entries: then those that exist are visited.
  const std::uint32_t used = std::min(header().used_blocks, header().blocks);
  for (std::uint32_t id = 1; id <= used; ++id) {
    const Block& each = block(id);
    if (each.used == 0) continue;
    const IpAddress base = each.family == 6
                               ? IpAddress::v6(each.base)
                               : IpAddress::v4(std::uint32_t{each.base[0]} << 24U |
                                               std::uint32_t{each.base[1]} << 16U |
                                               std::uint32_t{each.base[2]} << 8U | each.base[3]);
    if (base.family() != from.family() || to < base) continue;
    const IpAddress last = block_end(base, to);
    if (last < from) continue;
    add(each, std::max(base, from), last);
  }
  return sum;
}

}  // namespace unicni::ipam
