// A module's file: the ELF note and the needed libraries, read before anything trusts it. The
// header says this machine, so that what follows is looked at.
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "module/note.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace {

std::string own_header() {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::string header(sizeof(ElfW(Ehdr)), '\0');
  self.read(header.data(), static_cast<std::streamsize>(header.size()));
  return header;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string own = own_header();
  static const unicni::sys::Fd file(::memfd_create("fuzz_note", MFD_CLOEXEC));
  std::string bytes(reinterpret_cast<const char*>(data), size);
  // All but the first byte's highest bit decides whether class, byte order, type and machine fit.
  if (!bytes.empty() && (data[0] & 0x80U) == 0) {
    constexpr std::size_t kSameOnAMachine = offsetof(ElfW(Ehdr), e_version);
    std::copy_n(own.begin(), std::min(kSameOnAMachine, bytes.size()), bytes.begin());
    constexpr auto kType = static_cast<std::uint16_t>(ET_DYN);
    if (bytes.size() >= kSameOnAMachine)
      std::memcpy(bytes.data() + offsetof(ElfW(Ehdr), e_type), &kType, sizeof kType);
  }
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    std::abort();
  }
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  try {
    const unicni::ModuleNote note = unicni::module::read_note(path);
    if (std::memchr(note.name, '\0', sizeof note.name) == nullptr) std::abort();
    unicni::module::require_compatible(note, note.name, path);
  } catch (const unicni::Error& refused) {
    if (refused.msg().empty()) std::abort();
  }
  return 0;
}
