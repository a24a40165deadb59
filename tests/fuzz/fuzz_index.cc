// host-local's index: what verbs leave there, then a damaged disk under a header whose checksum is
// right. Whatever it says, the next verb ends, with nothing worse than an Error.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

#include "ipam/index.h"
#include "ipam/keyed_hash.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace {

using namespace unicni::ipam;
using unicni::IpAddress;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool ended() const { return size_ == 0; }
  std::uint32_t byte() {
    if (ended()) return 0;
    --size_;
    return *data_++;
  }
  std::uint32_t word() { return byte() << 8U | byte(); }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

class Folder {
 public:
  Folder() {
    char name[] = "/dev/shm/fuzz_index.XXXXXX";
    path_ = ::mkdtemp(name) == nullptr ? "/nonexistent" : name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

IpAddress address(std::uint32_t number) {
  return *IpAddress::v4(0x0a000000U).plus(static_cast<std::int64_t>(number));
}

void work(Index& index, Input& input, unsigned most) {
  for (unsigned i = 0; i < most && !input.ended(); ++i) {
    const std::uint32_t verb = input.byte();
    const IpAddress where = address(input.word() % 2048);  // a few blocks
    IndexEntry entry{where};
    entry.state = static_cast<EntryState>(1 + verb / 8 % 3);
    entry.owner = verb / 8;
    entry.sticky = verb / 64;
    switch (verb % 8) {
      case 0:
      case 1:
      case 2:
        index.put(entry);
        break;
      case 3:
        index.erase(where);
        break;
      case 4:
        static_cast<void>(index.first_free(address(0), where, verb / 8));
        static_cast<void>(index.count(address(0), where));
        break;
      case 5:
        static_cast<void>(index.of_owner(entry.owner));
        static_cast<void>(index.of_sticky(entry.sticky));
        break;
      case 6:
        index.end_rests(static_cast<std::int64_t>(verb), 1000);
        index.for_each_resting([](const IndexEntry&) { return true; });
        break;
      default:
        index.for_each([](const IndexEntry&) {});
        static_cast<void>(index.find(where));
        break;
    }
  }
}

/// Patches of the file, a few bytes each; then the header's checksum is made right.
void damage(const std::string& path, Input& input) {
  const unicni::sys::Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  const off_t size = file ? ::lseek(file.get(), 0, SEEK_END) : 0;
  if (size < static_cast<off_t>(kPageSize)) return;
  for (std::uint32_t patches = input.byte() % 32; patches > 0 && !input.ended(); --patches) {
    const auto at = static_cast<off_t>(input.word()) % size;
    const auto value = static_cast<std::uint8_t>(input.byte());
    static_cast<void>(::pwrite(file.get(), &value, 1, at) == 1);
  }
  Header header{};
  if (::pread(file.get(), &header, sizeof header, 0) != sizeof header) return;
  header.magic = kMagic;
  constexpr std::size_t kFrom = offsetof(Header, checksum) + sizeof(Header::checksum);
  header.checksum =
      keyed_hash({0, 0}, {reinterpret_cast<const char*>(&header) + kFrom, sizeof(Header) - kFrom});
  static_cast<void>(::pwrite(file.get(), &header, sizeof header, 0) == sizeof header);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  constexpr BootId kBoot{1};
  const std::string path = folder.path() + "/.unicni-index";
  Input input(data, size);
  ::unlink(path.c_str());
  try {
    Index made(folder.path(), kBoot, 64);
    work(made, input, 40);
    made.commit();
  } catch (const unicni::Error&) {
  }
  damage(path, input);
  try {
    if (auto found = Index::open(folder.path(), kBoot)) {
      static_cast<void>(found->matches(Index::folder_time(folder.path())));
      work(*found, input, 100);
      found->commit();
    }
  } catch (const unicni::Error&) {
  }
  return 0;
}
