// The index as a file: when it can be believed, and how it is written so that a kill or a power
// cut at any point costs no more than making it again.
#include <fcntl.h>
#include <fmt/core.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <ctime>
#include <utility>

#include "ipam/index.h"
#include "unicni/error.h"

namespace unicni::ipam {

namespace {

constexpr const char* kName = "/.unicni-index";
constexpr const char* kNewName = "/.unicni-index.new";
constexpr std::uint32_t kLeastSlots = 64;
constexpr std::uint32_t kLeastBlocks = kBlocksOfPage;
constexpr std::uint32_t kMostSlots = 1U << 24U;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMillisecond = 1'000'000;

// Kernels before 6.13 stamp a folder with the time of the last timer tick, up to 10 ms ago: two
// changes in a row can leave one time.
constexpr std::int64_t kTick = 20 * kMillisecond;
// So the folder is given a time that no change can give it: one that has passed. Whole seconds, for
// file systems that know no fractions.
constexpr std::int64_t kBack = 4 * kSecond;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

std::int64_t wall_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}

std::uint64_t checksum_of(const Header& header) {
  constexpr std::size_t kFrom = offsetof(Header, checksum) + sizeof(Header::checksum);
  return keyed_hash({0, 0},
                    {reinterpret_cast<const char*>(&header) + kFrom, sizeof(Header) - kFrom});
}

std::uint32_t pages_for(std::uint32_t records, std::uint32_t records_of_page) {
  return (records + records_of_page - 1) / records_of_page;
}

}  // namespace

Layout::Layout(std::uint32_t slot_count, std::uint32_t block_count) {
  blocks = heads +
           pages_for(static_cast<std::uint32_t>(kChains) * slot_count + block_count, kHeadsOfPage);
  slots = blocks + pages_for(block_count, kBlocksOfPage);
  end = slots + pages_for(slot_count, kSlotsOfPage);
}

const Header& Index::header() const { return *reinterpret_cast<const Header*>(pages_.read(0)); }
Header& Index::header() { return *reinterpret_cast<Header*>(pages_.edit(0)); }

// A number that is out of bounds leads into the last page: what it finds there matches nothing.
const Slot& Index::slot(std::uint32_t id) const {
  const std::uint32_t at = id == 0 || id > header().slots ? header().slots - 1 : id - 1;
  return reinterpret_cast<const Slot*>(
      pages_.read(layout_.slots + at / kSlotsOfPage))[at % kSlotsOfPage];
}

Slot& Index::edit_slot(std::uint32_t id) {
  const std::uint32_t at = id == 0 || id > header().slots ? header().slots - 1 : id - 1;
  return reinterpret_cast<Slot*>(pages_.edit(layout_.slots + at / kSlotsOfPage))[at % kSlotsOfPage];
}

/// As with slots, a number out of bounds reads the last block. Damage leads to a wrong match at
/// worst, never out of the mapping.
const Block& Index::block(std::uint32_t id) const {
  const std::uint32_t at = id == 0 || id > header().blocks ? header().blocks - 1 : id - 1;
  return reinterpret_cast<const Block*>(
      pages_.read(layout_.blocks + at / kBlocksOfPage))[at % kBlocksOfPage];
}

Block& Index::edit_block(std::uint32_t id) {
  const std::uint32_t at = id == 0 || id > header().blocks ? header().blocks - 1 : id - 1;
  return reinterpret_cast<Block*>(
      pages_.edit(layout_.blocks + at / kBlocksOfPage))[at % kBlocksOfPage];
}

const std::uint32_t& Index::head(std::uint32_t number) const {
  return reinterpret_cast<const std::uint32_t*>(
      pages_.read(layout_.heads + number / kHeadsOfPage))[number % kHeadsOfPage];
}

std::uint32_t& Index::edit_head(std::uint32_t number) {
  return reinterpret_cast<std::uint32_t*>(
      pages_.edit(layout_.heads + number / kHeadsOfPage))[number % kHeadsOfPage];
}

/// The layout follows from the two sizes in the header, which open() has compared with the length
/// of the file.
Index::Index(Pages pages, std::string folder, const BootId& boot)
    : pages_(std::move(pages)), layout_(1, 1), folder_(std::move(folder)), boot_(boot) {
  const Header& all = std::as_const(*this).header();
  layout_ = Layout(all.slots, all.blocks);
}

/// Every number that pages are computed from is checked before it is used: the file may be of
/// another version, cut off, or made by somebody else.
std::optional<Index> Index::open(const std::string& folder, const BootId& boot) {
  std::optional<Pages> pages = Pages::open(folder + kName);
  if (!pages) return std::nullopt;
  const auto& found = *reinterpret_cast<const Header*>(pages->read(0));
  if (found.magic != kMagic || found.checksum != checksum_of(found)) return std::nullopt;
  if (found.slots == 0 || found.slots > kMostSlots || found.blocks == 0 ||
      found.blocks > kMostSlots || Layout(found.slots, found.blocks).end != pages->count()) {
    return std::nullopt;
  }
  return Index(*std::move(pages), folder, boot);
}

// Blocks are for neighbours; where addresses have none, the index grows until it has enough.
Index::Index(std::string folder, const BootId& boot, std::uint32_t least_slots,
             std::uint32_t least_blocks)
    : pages_(1), layout_(1, 1), folder_(std::move(folder)), boot_(boot) {
  const std::uint32_t slots = std::bit_ceil(std::clamp(least_slots, kLeastSlots, kMostSlots));
  const std::uint32_t blocks =
      std::clamp(std::max(least_blocks, slots / 64), kLeastBlocks, kMostSlots);
  layout_ = Layout(slots, blocks);
  pages_ = Pages(layout_.end);
  Header& all = header();
  all.magic = kMagic;
  all.boot = boot;
  all.slots = slots;
  all.blocks = blocks;
  // GRND_NONBLOCK: early in the boot there may be no randomness yet, and an ADD must not wait for
  // it. Clock and process id make a weaker key, which is good enough for one boot.
  if (::getrandom(all.key.data(), sizeof all.key, GRND_NONBLOCK) < 0) {
    all.key = {static_cast<std::uint64_t>(wall_clock()), static_cast<std::uint64_t>(::getpid())};
  }
}

/// The key stays: owners and sticky keys are stored as hashes by it and could not be hashed again.
Index Index::successor(std::uint32_t slots, std::uint32_t blocks) const {
  Index next(folder_, boot_, slots, blocks);
  next.header().key = header().key;
  return next;
}

bool Index::is_whole() const { return header().folder_time != 0 && header().boot == boot_; }

/// A folder that was changed within one tick of the file system's clock before the header was
/// written could have been changed once more in that same tick, with the same time. Such a time
/// proves nothing.
bool Index::matches(std::int64_t folder_time) const {
  return is_whole() && header().unsure == 0 && header().folder_time == folder_time &&
         header().written - folder_time > kTick;
}

std::int64_t Index::folder_time(const std::string& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 ? nanoseconds(status.st_mtim) : 0;
}

void Index::seal(std::int64_t folder_time) {
  Header& all = header();
  all.folder_time = folder_time;
  all.written = wall_clock();
  all.checksum = checksum_of(all);
}

bool Index::write_pages() {
  if (pages_.has_file()) return pages_.write_first() && pages_.write_others();
  const std::string path = folder_ + kName;
  if (pages_.move_to(path)) return pages_.write_others();
  // There is one already: the old one stays until the new one is whole, for what only it knows.
  const std::string temporary = folder_ + kNewName;
  ::unlink(temporary.c_str());
  if (pages_.move_to(temporary) && pages_.write_first() && pages_.write_others() &&
      ::rename(temporary.c_str(), path.c_str()) == 0) {
    return true;
  }
  ::unlink(temporary.c_str());
  pages_.detach();
  return false;
}

/// Damage is not repaired in the middle of a verb. The file goes, the verb fails with "try again",
/// and the next one makes the index anew from the reservations.
void Index::give_up() const {
  ::unlink((folder_ + kName).c_str());
  throw Error(Code::try_again, fmt::format("{}{} is damaged", folder_, kName),
              "it was removed and is made again by the next call");
}

/// First the header says "being written" (time 0), then come the pages, then the folder's time is
/// set back, and only then the header is valid again. A kill anywhere between leaves an index that
/// is not believed.
void Index::commit() {
  if (!pages_.changed() && pages_.has_file() && matches(folder_time(folder_))) return;
  seal(0);
  if (!write_pages()) return;
  // Nobody else's change can give the folder a time in the past, so exactly this time means:
  // unchanged since our verb.
  const std::int64_t mark = wall_clock() - kBack;
  const timespec times[2] = {{0, UTIME_OMIT}, {mark / kSecond, mark % kSecond}};
  ::utimensat(AT_FDCWD, folder_.c_str(), times, 0);
  seal(folder_time(folder_));  // as the file system rounds it
  if (!pages_.write_first()) pages_.detach();
}

}  // namespace unicni::ipam
