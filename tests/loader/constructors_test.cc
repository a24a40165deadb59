// No module has static constructors: they would run at load, before anything of it was looked at,
// and cost time in every process. Read from the files' dynamic sections.
#include <elf.h>
#include <gmock/gmock.h>
#include <link.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace unicni::test::constructors_test {
namespace {

namespace fs = std::filesystem;

/// Entries of .init_array and .preinit_array; the compiler's own frame_dummy (crtbeginS.o) is one
/// of them.
std::size_t constructors(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  ElfW(Ehdr) header{};
  if (bytes.size() < sizeof header) return 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::size_t size = 0;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment{};
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_DYNAMIC) continue;
    for (std::size_t at = 0; at < segment.p_filesz; at += sizeof(ElfW(Dyn))) {
      ElfW(Dyn) entry{};
      std::memcpy(&entry, bytes.data() + segment.p_offset + at, sizeof entry);
      if (entry.d_tag == DT_INIT_ARRAYSZ || entry.d_tag == DT_PREINIT_ARRAYSZ) {
        size += entry.d_un.d_val;
      }
    }
  }
  return size / sizeof(void*);
}

constexpr std::size_t kCompilersOwn = 1;

TEST(ConstructorsTest, TheCountSeesOne) {
  EXPECT_EQ(constructors(std::string(FIXTURES) + "/fixture-good.so"), kCompilersOwn);
  EXPECT_EQ(constructors(std::string(FIXTURES) + "/fixture-wrong-abi.so"), kCompilersOwn + 1);
}

TEST(ConstructorsTest, NoModuleHasAny) {
  if (!fs::exists(MODULES)) GTEST_SKIP() << "no modules are built in " << MODULES;
  for (const auto& entry : fs::directory_iterator(MODULES)) {
    if (entry.path().extension() != ".so") continue;
    EXPECT_LE(constructors(entry.path()), kCompilersOwn)
        << entry.path() << " has static constructors; find them with: nm -C " << entry.path()
        << " | grep _GLOBAL__sub_I";
  }
}

}  // namespace
}  // namespace unicni::test::constructors_test
