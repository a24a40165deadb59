#include "module/build_id.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <link.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>

namespace unicni::module::build_id_test {
namespace {

namespace fs = std::filesystem;

class BuildIdTest : public testing::Test {
 protected:
  BuildIdTest() { ::mkdtemp(folder_.data()); }
  ~BuildIdTest() override { fs::remove_all(folder_); }

  std::string folder_ = (fs::temp_directory_path() / "unicni-build-id-XXXXXX").string();
};

TEST_F(BuildIdTest, OfOurselvesIsThatOfOurFile) {
  EXPECT_GE(own_build_id().size(), 16U) << "the link step makes one";
  EXPECT_EQ(find_build_id("/proc/self/exe"), own_build_id());
}

TEST_F(BuildIdTest, AnExecutableAtAFixedAddressHasOneAsWell) {
  const std::string copy = folder_ + "/copy";
  fs::copy_file("/proc/self/exe", copy);
  const std::uint16_t fixed = ET_EXEC;
  std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offsetof(ElfW(Ehdr), e_type));
  file.write(reinterpret_cast<const char*>(&fixed), sizeof fixed).flush();
  EXPECT_EQ(find_build_id(copy), own_build_id());
}

TEST_F(BuildIdTest, AnotherProgramHasAnother) {
  EXPECT_NE(find_build_id("/bin/sh"), own_build_id());
}

TEST_F(BuildIdTest, WhatIsNoExecutableHasNone) {
  std::ofstream(folder_ + "/script") << "#!/bin/sh\n";
  std::ofstream(folder_ + "/empty");
  ASSERT_EQ(::mkfifo((folder_ + "/fifo").c_str(), 0600), 0);
  for (const auto* name : {"script", "empty", "fifo", "nothing", "."}) {
    EXPECT_EQ(find_build_id(folder_ + "/" + name), "") << name;
  }
}

TEST_F(BuildIdTest, DamagedFilesHaveNoneOrOursAndAreHarmless) {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::string start(1U << 12U, '\0');
  self.read(start.data(), static_cast<std::streamsize>(start.size()));
  std::mt19937 random(4711);
  const std::string path = folder_ + "/damaged";
  for (int round = 0; round < 500; ++round) {
    std::string bytes = start.substr(0, 1 + random() % start.size());
    for (int i = 0; i < 8; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    EXPECT_LE(find_build_id(path).size(), 16U << 10U);
  }
}

}  // namespace
}  // namespace unicni::module::build_id_test
