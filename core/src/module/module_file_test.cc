#include "module/module_file.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "unicni/module.h"

namespace unicni::module::module_file_test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

TEST(ModuleFileTest, ANumberBeforeTheSuffixIsTheInterfaces) {
  const auto plain = parse_file_name("host-local.so");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->module, "host-local");
  EXPECT_FALSE(plain->abi);
  const auto numbered = parse_file_name("host-local.abi12.so");
  ASSERT_TRUE(numbered);
  EXPECT_EQ(numbered->module, "host-local");
  EXPECT_EQ(numbered->abi, 12U);
}

TEST(ModuleFileTest, WhatIsNoNumberIsPartOfTheName) {
  for (const char* name : {"x.abi", "x.abi02", "x.abi-1", "x.abi2x", "x.abi99999999999", "x.2"}) {
    const auto parsed = parse_file_name(std::string(name) + ".so");
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(parsed->module, name);
    EXPECT_FALSE(parsed->abi) << name;
  }
}

TEST(ModuleFileTest, OtherFilesAreNone) {
  for (const char* name : {"", "bridge", "bridge.so.1", "bridge.abi2", "README"}) {
    EXPECT_FALSE(parse_file_name(name)) << name;
  }
}

TEST(ModuleFileTest, TheNamesAskedForAreParsedBack) {
  const auto [own, plain] = file_names("ptp");
  EXPECT_EQ(parse_file_name(own)->module, "ptp");
  EXPECT_EQ(parse_file_name(own)->abi, static_cast<unsigned>(UNICNI_ABI));
  EXPECT_EQ(plain, "ptp.so");
}

TEST(ModuleFileTest, AFolderHasTheModulesThatThisExecutableAsksFor) {
  std::string folder = (fs::temp_directory_path() / "unicni-module-file-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  for (const std::string& file : {file_names("ptp")[0], file_names("ptp")[1], file_names("vlan")[0],
                                  std::string("tap.so"), std::string("sbr.abi9999.so")}) {
    std::ofstream(folder + '/' + file) << file;
  }
  EXPECT_THAT(modules_in(folder), ElementsAre("ptp", "tap", "vlan"));
  EXPECT_EQ(find_file(folder, "ptp"), folder + '/' + file_names("ptp")[0]);
  EXPECT_EQ(find_file(folder, "tap"), folder + "/tap.so");
  EXPECT_FALSE(find_file(folder, "sbr"));
  fs::remove_all(folder);
  EXPECT_THAT(modules_in(folder), ElementsAre());
}

}  // namespace
}  // namespace unicni::module::module_file_test
