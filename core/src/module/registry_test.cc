#include "module/registry.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "module/build_id.h"
#include "unicni/error.h"
#include "unicni/module.h"

namespace unicni::module::registry_test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(ModuleNameTest, IsAnAnchoredPattern) {
  for (const auto* name :
       {"bridge", "host-local", "0", "a-", "x9", "abcdefghijklmnopqrstuvwxyz01234"}) {
    EXPECT_TRUE(valid_module_name(name)) << name;
  }
  for (const std::string_view name : {"", "-a", "Bridge", "a_b", "a.b", "a/b", "..", "a\n", " a",
                                      "a ", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyz012345"}) {
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

TEST(ModuleFoldersTest, FollowTheExecutable) {
  const auto first = [](const std::string& executable) {
    return module_folders(executable, "/installed").front();
  };
  EXPECT_EQ(first("/usr/libexec/cni/unicni"), "/usr/lib/unicni/modules");
  EXPECT_EQ(first("/opt/u/libexec/cni/unicni"), "/opt/u/lib/unicni/modules");
  EXPECT_EQ(first("/libexec/cni/unicni"), "/lib/unicni/modules");
  EXPECT_EQ(first("/src/build/dev/exec/unicni"), "/src/build/dev/modules");
  EXPECT_EQ(first("/unicni"), "/lib/unicni/modules");
}

TEST(ModuleFoldersTest, OfACopyAreBesideItOrWhereItWasMeantToBe) {
  EXPECT_THAT(module_folders("/opt/cni/bin/bridge", "/usr/local/lib/unicni/modules"),
              ElementsAre("/opt/lib/unicni/modules", "/opt/cni/bin/unicni-modules",
                          "/usr/local/lib/unicni/modules"));
  EXPECT_THAT(module_folders("/usr/local/libexec/cni/unicni", "/usr/local/lib/unicni/modules"),
              ElementsAre("/usr/local/lib/unicni/modules", "/usr/local/libexec/cni/unicni-modules"))
      << "none twice";
}

class FindTypeTest : public testing::Test {
 protected:
  FindTypeTest() {
    ::mkdtemp(root_.data());
    for (const auto* folder : {"/one", "/two", "/modules", "/more"})
      fs::create_directory(root_ + folder);
    touch("/unicni", 0755);
    where_ = {
        root_ + "/unicni", {root_ + "/modules", root_ + "/more"}, {root_ + "/one", root_ + "/two"}};
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

TEST_F(FindTypeTest, TheExecutableOfATypeIsTheFirstFileWhoeverMadeIt) {
  EXPECT_EQ(find_executable("bridge", where_), "");
  touch("/modules/bridge.so", 0644);
  touch("/two/bridge", 0755);
  EXPECT_EQ(find_executable("bridge", where_), root_ + "/two/bridge");
  fs::create_symlink("../unicni", root_ + "/one/bridge");
  EXPECT_EQ(find_executable("bridge", where_), root_ + "/one/bridge");
  EXPECT_TRUE(is_runnable(root_ + "/two/bridge"));
  EXPECT_FALSE(is_runnable(root_ + "/modules/bridge.so"));
  EXPECT_FALSE(is_runnable(""));
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
                                   root_ + "/two], and module \"nosuch\" is absent from " + root_ +
                                   "/modules, " + root_ + "/more");
}

TEST_F(FindTypeTest, AFileThatNobodyMayExecuteIsNamed) {
  touch("/two/nosuch", 0644);
  EXPECT_THAT(refusal("nosuch"), HasSubstr("/two]: " + root_ + "/two/nosuch isn't executable"));
}

TEST_F(FindTypeTest, AbsentSaysNothingOfModulesWhereThereAreNoFoldersOfThem) {
  where_.modules.clear();
  EXPECT_EQ(refusal("nosuch"),
            "failed to find plugin \"nosuch\" in path [" + root_ + "/one " + root_ + "/two]");
}

TEST_F(FindTypeTest, TheFirstFolderThatHasTheModuleDecides) {
  touch("/more/bridge.so", 0644);
  EXPECT_EQ(module_of("bridge"), root_ + "/more/bridge.so");
  touch("/modules/bridge.so", 0644);
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge.so");
}

TEST_F(FindTypeTest, TheFileOfOurOwnInterfaceNumberGoesFirst) {
  const std::string own = ".abi" + std::to_string(UNICNI_ABI) + ".so";
  touch("/modules/bridge.so", 0644);
  touch("/modules/bridge.abi9999.so", 0644);
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge.so") << "another number's is not ours";
  touch("/more/bridge" + own, 0644);
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge.so") << "the folder decides first";
  touch("/modules/bridge" + own, 0644);
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge" + own);
  fs::create_symlink("../unicni", root_ + "/one/cnv-bridge");
  EXPECT_EQ(module_of("cnv-bridge"), root_ + "/modules/bridge" + own);
  fs::remove(root_ + "/modules/bridge.so");
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge" + own) << "alone it serves as well";
}

TEST_F(FindTypeTest, AFileOfAnotherInterfaceNumberAloneIsAbsent) {
  touch("/modules/bridge.abi9999.so", 0644);
  EXPECT_THAT(refusal("bridge"),
              AllOf(HasSubstr("module \"bridge\" is absent"), Not(HasSubstr("did you mean"))));
  EXPECT_THAT(refusal("bridge.abi9999"), HasSubstr("absent")) << "no type is called so";
}

TEST_F(FindTypeTest, AbsentNamesTheNearest) {
  for (const auto* name : {"bridge", "bandwidth", "host-local", "host-device"}) {
    touch(std::string("/modules/") + name + ".so", 0644);
  }
  touch("/more/vlan.so", 0644);
  touch("/modules/notes.txt", 0644);
  EXPECT_THAT(refusal("brigde"), HasSubstr("; did you mean \"bridge\"?"));
  EXPECT_THAT(refusal("hostlocal"), HasSubstr("; did you mean \"host-local\"?"));
  EXPECT_THAT(refusal("vlna"), HasSubstr("; did you mean \"vlan\"?"));
  EXPECT_THAT(refusal("cnv-bridge"), HasSubstr("; did you mean \"bridge\"?"));
  EXPECT_THAT(refusal("Bridge"), HasSubstr("; did you mean \"bridge\"?"));
  EXPECT_THAT(refusal("calico"), Not(HasSubstr("did you mean")));
}

TEST_F(FindTypeTest, ALinkToOurselvesWithoutModuleIsAbsent) {
  fs::create_symlink("../unicni", root_ + "/one/nosuch");
  EXPECT_THAT(refusal("nosuch"), HasSubstr("module \"nosuch\" is absent"));
}

TEST_F(FindTypeTest, OtherNamesNeverMeetTheModulesFolder) {
  touch("/modules/My_Plugin.so", 0755);
  EXPECT_THAT(refusal("My_Plugin"), HasSubstr("module \"My_Plugin\" is absent"));
  touch("/one/My_Plugin", 0755);
  EXPECT_EQ(program_of("My_Plugin"), root_ + "/one/My_Plugin");
}

TEST_F(FindTypeTest, ARenamedLinkIsTheModuleWithTheLongestNameItEndsWith) {
  for (const auto* name : {"bridge", "device", "host-device", "x-bridge"}) {
    touch(std::string("/modules/") + name + ".so", 0644);
  }
  touch("/more/host-local.so", 0644);
  for (const auto* name : {"cnv-bridge", "buildkit-cni-host-local", "x-host-device", "x-bridge",
                           "My_Own.v2-bridge", "bridge-"}) {
    fs::create_symlink("../unicni", root_ + "/two/" + name);
  }
  EXPECT_EQ(module_of("cnv-bridge"), root_ + "/modules/bridge.so");
  EXPECT_EQ(module_of("buildkit-cni-host-local"), root_ + "/more/host-local.so");
  EXPECT_EQ(module_of("x-host-device"), root_ + "/modules/host-device.so");
  EXPECT_EQ(module_of("x-bridge"), root_ + "/modules/x-bridge.so") << "the exact name first";
  EXPECT_EQ(module_of("My_Own.v2-bridge"), root_ + "/modules/bridge.so");
  EXPECT_THAT(refusal("bridge-"), HasSubstr("absent"));
}

TEST_F(FindTypeTest, ARenamedLinkSaysWhichModuleItIs) {
  touch("/modules/bridge.so", 0644);
  fs::create_symlink("../unicni", root_ + "/one/cnv-bridge");
  const auto found = find_type("cnv-bridge", where_);
  EXPECT_EQ(found.type, "cnv-bridge");
  EXPECT_EQ(found.module, "bridge");
}

TEST_F(FindTypeTest, WithoutAFileOfOursAMissingPluginIsNotOurModule) {
  touch("/modules/static.so", 0644);
  EXPECT_THAT(refusal("acme-static"),
              AllOf(HasSubstr("failed to find plugin \"acme-static\""), HasSubstr("\"static\"?")));
}

TEST_F(FindTypeTest, AForeignProgramUnderARenamedTypeIsTheirs) {
  touch("/modules/bridge.so", 0644);
  touch("/one/cnv-bridge", 0755);
  EXPECT_EQ(program_of("cnv-bridge"), root_ + "/one/cnv-bridge");
}

TEST_F(FindTypeTest, ACopyOfOurselvesIsTheModule) {
  touch("/modules/bridge.so", 0644);
  fs::copy_file("/proc/self/exe", root_ + "/one/bridge");
  fs::copy_file("/proc/self/exe", root_ + "/one/cnv-bridge");
  EXPECT_EQ(module_of("bridge"), root_ + "/modules/bridge.so");
  EXPECT_EQ(module_of("cnv-bridge"), root_ + "/modules/bridge.so");
}

// A program that only uses the library: its own file isn't the executable.
TEST_F(FindTypeTest, ACopyOfTheExecutableIsTheModuleWhoeverAsks) {
  touch("/modules/bridge.so", 0644);
  Locations where = where_;
  where.executable = "/bin/sleep";
  ASSERT_NE(find_build_id(where.executable), "");
  ASSERT_NE(find_build_id(where.executable), own_build_id());
  fs::copy_file(where.executable, root_ + "/one/bridge");
  EXPECT_EQ(find_type("bridge", where).module_path, root_ + "/modules/bridge.so");
}

TEST_F(FindTypeTest, AnotherBuildIsAProgram) {
  touch("/modules/bridge.so", 0644);
  fs::copy_file("/proc/self/exe", root_ + "/one/bridge");
  const std::string id = own_build_id();
  ASSERT_GE(id.size(), 8U);
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::string start(1U << 16U, '\0');
  self.read(start.data(), static_cast<std::streamsize>(start.size()));
  const auto at = start.find(id);
  ASSERT_NE(at, std::string::npos);
  std::fstream other(root_ + "/one/bridge", std::ios::binary | std::ios::in | std::ios::out);
  other.seekp(static_cast<std::streamoff>(at));
  other.put(static_cast<char>(~id[0]));
  other.close();
  EXPECT_EQ(program_of("bridge"), root_ + "/one/bridge");
}

class FindNamedTest : public FindTypeTest {};

TEST_F(FindNamedTest, NeverAProgram) {
  touch("/modules/bridge.so", 0644);
  touch("/one/bridge", 0755);
  EXPECT_EQ(get_named("bridge", where_).module_path, root_ + "/modules/bridge.so");
  EXPECT_EQ(get_named("cnv-bridge", where_).module_path, root_ + "/modules/bridge.so")
      << "who called us by that name means us";
}

TEST_F(FindNamedTest, AbsentNamesAllFoldersAndTheNearest) {
  touch("/modules/bridge.so", 0644);
  try {
    (void)get_named("cnv-brige", where_);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.msg(), "module \"cnv-brige\" is absent from " + root_ + "/modules, " + root_ +
                               "/more; did you mean \"bridge\"?");
    EXPECT_THAT(error.details(), HasSubstr("cmake --install"));
  }
}

TEST_F(FindNamedTest, WhatWasFoundIsNotLookedUpAgain) {
  touch("/modules/bridge.so", 0644);
  where_.own = find_named("bridge", where_);
  fs::remove(root_ + "/modules/bridge.so");
  EXPECT_EQ(get_named("bridge", where_).module_path, root_ + "/modules/bridge.so");
}

TEST_F(FindNamedTest, LongNamesAndManyDashesAreHarmless) {
  touch("/modules/bridge.so", 0644);
  EXPECT_EQ(find_named(std::string(200000, '-') + "bridge", where_)->module, "bridge");
  EXPECT_FALSE(find_named(std::string(200000, '-'), where_));
  EXPECT_FALSE(find_named("../modules/bridge", where_));
}

}  // namespace
}  // namespace unicni::module::registry_test
