#include "module/registry.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "unicni/error.h"

namespace unicni::module {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(ModuleNameTest, IsAnAnchoredPattern) {
  for (const auto* name :
       {"bridge", "host-local", "0", "a-", "x9", "abcdefghijklmnopqrstuvwxyz012345"}) {
    EXPECT_TRUE(valid_module_name(name)) << name;
  }
  for (const std::string_view name : {"", "-a", "Bridge", "a_b", "a.b", "a/b", "..", "a\n", " a",
                                      "a ", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyz0123456"}) {
    EXPECT_FALSE(valid_module_name(name)) << name;
  }
  EXPECT_FALSE(valid_module_name(std::string_view("a\0b", 3)));
}

TEST(TypeTest, AnyFileNameIsLegal) {
  for (const auto* type : {"bridge", "Calico", "my_plugin.v2", "...", "-x", "a b"}) {
    EXPECT_NO_THROW(require_valid_type(type)) << type;
  }
}

TEST(TypeTest, WhatIsNoFileNameIsRefused) {
  for (const std::string& type :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("../x"),
        std::string("/bin/sh"), std::string("a\0b", 3)}) {
    try {
      require_valid_type(type);
      ADD_FAILURE() << type;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_config));
      EXPECT_THAT(error.msg(), HasSubstr("\"type\""));
    }
  }
}

TEST(ModuleFolderTest, FollowsTheExecutable) {
  EXPECT_EQ(module_folder("/usr/libexec/cni/unicni"), "/usr/lib/unicni/modules");
  EXPECT_EQ(module_folder("/opt/u/libexec/cni/unicni"), "/opt/u/lib/unicni/modules");
  EXPECT_EQ(module_folder("/libexec/cni/unicni"), "/lib/unicni/modules");
  EXPECT_EQ(module_folder("/src/build/dev/exec/unicni"), "/src/build/dev/modules");
  EXPECT_EQ(module_folder("/unicni"), "/lib/unicni/modules");
}

class FindTypeTest : public testing::Test {
 protected:
  FindTypeTest() {
    ::mkdtemp(root_.data());
    for (const auto* folder : {"/one", "/two", "/modules"}) fs::create_directory(root_ + folder);
    touch("/unicni", 0755);
    where_ = {root_ + "/unicni", root_ + "/modules", {root_ + "/one", root_ + "/two"}};
  }
  ~FindTypeTest() override { fs::remove_all(root_); }

  void touch(const std::string& name, mode_t mode) {
    std::ofstream(root_ + name) << name;
    ::chmod((root_ + name).c_str(), mode);
  }
  std::string module_of(const std::string& type) {
    const auto found = find_type(type, where_);
    EXPECT_EQ(found.type, type);
    EXPECT_EQ(found.program, "");
    return found.module_path;
  }
  std::string program_of(const std::string& type) {
    const auto found = find_type(type, where_);
    EXPECT_EQ(found.module_path, "");
    return found.program;
  }
  std::string refusal(const std::string& type) {
    try {
      (void)find_type(type, where_);
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_config));
      return error.msg();
    }
    return "";
  }

  std::string root_ = (fs::temp_directory_path() / "unicni-registry-XXXXXX").string();
  Locations where_;
};

TEST_F(FindTypeTest, NothingInCniPathIsTheModule) {
  touch("/modules/bridge.so", 0644);
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge.so");
}

TEST_F(FindTypeTest, ALinkToOurselvesIsTheModule) {
  touch("/modules/bridge.so", 0644);
  fs::create_symlink("../unicni", root_ + "/one/bridge");
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge.so");
}

TEST_F(FindTypeTest, AHardLinkToOurselvesIsTheModule) {
  touch("/modules/bridge.so", 0644);
  fs::create_hard_link(root_ + "/unicni", root_ + "/one/bridge");
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge.so");
}

TEST_F(FindTypeTest, AnotherFileIsAProgram) {
  touch("/modules/bridge.so", 0644);
  touch("/two/bridge", 0755);
  EXPECT_EQ(program_of("bridge"), root_ + "/two/bridge");
}

TEST_F(FindTypeTest, TheFirstFileDecides) {
  touch("/modules/bridge.so", 0644);
  touch("/two/bridge", 0755);
  fs::create_symlink("../unicni", root_ + "/one/bridge");
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge.so");
  fs::remove(root_ + "/one/bridge");
  fs::rename(root_ + "/two/bridge", root_ + "/one/bridge");
  fs::create_symlink("../unicni", root_ + "/two/bridge");
  EXPECT_EQ(program_of("bridge"), root_ + "/one/bridge");
}

TEST_F(FindTypeTest, WhatCantBeExecutedIsPassedOver) {
  touch("/one/calico", 0644);
  touch("/two/calico", 0755);
  EXPECT_EQ(program_of("calico"), root_ + "/two/calico");
  fs::remove(root_ + "/one/calico");
  fs::create_directory(root_ + "/one/calico");
  EXPECT_EQ(program_of("calico"), root_ + "/two/calico");
}

TEST_F(FindTypeTest, RelativeFoldersAreIgnored) {
  touch("/one/calico", 0755);
  where_.cni_path = {"one", "", fs::relative(root_ + "/one").string()};
  EXPECT_THAT(refusal("calico"), HasSubstr("failed to find plugin \"calico\""));
}

TEST_F(FindTypeTest, AbsentNamesWhatWasSearched) {
  EXPECT_EQ(refusal("nosuch"), "failed to find plugin \"nosuch\" in path [" + root_ + "/one " +
                                   root_ + "/two], and module " + root_ +
                                   "/modules/nosuch.so is absent");
}

TEST_F(FindTypeTest, ALinkToOurselvesWithoutModuleIsAbsent) {
  fs::create_symlink("../unicni", root_ + "/one/nosuch");
  EXPECT_THAT(refusal("nosuch"), HasSubstr("nosuch.so is absent"));
}

TEST_F(FindTypeTest, OtherNamesNeverMeetTheModulesFolder) {
  touch("/modules/My_Plugin.so", 0755);
  EXPECT_THAT(refusal("My_Plugin"), HasSubstr("a module can't have that name"));
  touch("/one/My_Plugin", 0755);
  EXPECT_EQ(program_of("My_Plugin"), root_ + "/one/My_Plugin");
}

}  // namespace
}  // namespace unicni::module
