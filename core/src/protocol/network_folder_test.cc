#include "protocol/network_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/temp_folder_for_test.h"

namespace unicni::protocol::network_folder_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NetworkFolder : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  void write_list(const std::string& name, const std::string& network, const std::string& type) {
    write(name, R"({"cniVersion":"1.0.0","name":")" + network + R"(","plugins":[{"type":")" + type +
                    "\"}]}");
  }
  void write_plugin(const std::string& name, const std::string& network, const std::string& type) {
    write(name, R"({"cniVersion":"1.0.0","name":")" + network + R"(","type":")" + type + "\"}");
  }
  void make_folder(const std::string& name) {
    ASSERT_EQ(::mkdir((folder_ / name).c_str(), 0755), 0);
  }
  std::vector<std::string> types(const std::string& network) {
    std::vector<std::string> types;
    for (const ListMember& member : get_network(folder_.path(), network).members) {
      types.push_back(member.type);
    }
    return types;
  }
  Error refusal(const std::string& network) {
    try {
      get_network(folder_.path(), network);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was refused";
    return Error(Code::internal, "");
  }

  TempFolder folder_;
};

TEST_F(NetworkFolder, TheFirstFileByByteOrderWins) {  // CONF-04
  write_list("9.conflist", "n", "nine");
  write_list("10.conflist", "n", "ten");
  EXPECT_THAT(types("n"), ElementsAre("ten"));
}

TEST_F(NetworkFolder, ListsComeBeforeSinglePlugins) {  // CONF-24
  write_list("99.conflist", "n", "list");
  write_plugin("10.json", "n", "json");
  write_plugin("20.conf", "n", "conf");
  EXPECT_THAT(types("n"), ElementsAre("list"));
  ASSERT_EQ(::unlink((folder_ / "99.conflist").c_str()), 0);
  EXPECT_THAT(types("n"), ElementsAre("json"));
  ASSERT_EQ(::unlink((folder_ / "10.json").c_str()), 0);
  EXPECT_THAT(types("n"), ElementsAre("conf"));
}

TEST_F(NetworkFolder, ABrokenFileCountsIfItSortsBeforeTheMatch) {  // CONF-25
  write_list("20.conflist", "n", "a");
  write("30.conflist", "{");
  EXPECT_THAT(types("n"), ElementsAre("a"));
  write("10.conflist", "{");
  EXPECT_THAT(refusal("n").msg(), HasSubstr(folder_ / "10.conflist" + ": cannot decode"));
}

TEST_F(NetworkFolder, NothingAtAllIsToldFromNothingOfThisName) {  // CONF-30
  const std::string nowhere = folder_ / "nowhere";
  EXPECT_THAT(find_network(nowhere, "n").seen, IsEmpty());
  Error error = refusal("n");
  EXPECT_EQ(error.msg(), "no net configurations found in " + folder_.path());
  write_list("10.conflist", "a", "x");
  write("20.conf", R"({"type":"loopback"})");
  write_plugin("30.json", "b", "x");
  error = refusal("n");
  EXPECT_EQ(error.msg(), "no net configuration with name \"n\" in " + folder_.path());
  EXPECT_EQ(error.details(),
            "there are: \"a\" (10.conflist), one without a name (20.conf), \"b\" (30.json)");
  const NetworkSearch search = find_network(folder_.path(), "n");
  EXPECT_FALSE(search.found);
  ASSERT_EQ(search.seen.size(), 3U);
  EXPECT_EQ(search.seen[2].path, folder_ / "30.json");
  EXPECT_EQ(search.seen[2].name, "b");
}

TEST_F(NetworkFolder, OtherFilesAndFoldersArePassedOver) {  // CONF-28
  make_folder("10.conflist");
  write_list("10.conflist/n.conflist", "n", "nested");
  write_list("11.CONFLIST", "n", "case");
  write_list("12.conflist.bak", "n", "backup");
  write("13.txt", "{");
  EXPECT_EQ(refusal("n").msg(), "no net configurations found in " + folder_.path());
}

TEST_F(NetworkFolder, DropInsFollowInByteOrder) {  // CONF-14, CONF-18
  write_list("a.conflist", "n", "inline");
  make_folder("n");
  write_plugin("n/20-b.conf", "other", "b");
  write_plugin("n/10-a.conf", "other", "a");
  write("n/05.json", "{");
  write("n/06.conflist", "{");
  make_folder("n/07.conf");
  EXPECT_THAT(types("n"), ElementsAre("inline", "a", "b"));
}

TEST_F(NetworkFolder, DropInsAloneWillDo) {  // CONF-13, CONF-17
  write("a.conflist", R"({"name":"n"})");
  EXPECT_THAT(refusal("n").msg(), HasSubstr("a.conflist: network \"n\" has no plugin"));
  make_folder("n");
  write_plugin("n/1.conf", "n", "a");
  EXPECT_THAT(types("n"), ElementsAre("a"));
  write("a.conflist", R"({"name":"n","plugins":[]})");
  EXPECT_THAT(refusal("n").msg(), HasSubstr("\"plugins\" is empty"));
}

TEST_F(NetworkFolder, OnlyInlinedPluginsIfTheListSaysSo) {  // CONF-16
  write("a.conflist", R"({"name":"n","loadOnlyInlinedPlugins":true,"plugins":[{"type":"i"}]})");
  make_folder("n");
  write("n/1.conf", "{");
  EXPECT_THAT(types("n"), ElementsAre("i"));
}

TEST_F(NetworkFolder, ABrokenDropInFailsItsNetworkOnly) {  // CONF-15
  write_list("a.conflist", "m", "m");
  write_list("b.conflist", "n", "n");
  make_folder("m");
  write("m/1.conf", R"({"name":"m"})");
  EXPECT_THAT(refusal("m").msg(), HasSubstr("m/1.conf: the plugin has no \"type\""));
  EXPECT_THAT(types("n"), ElementsAre("n"));
}

TEST_F(NetworkFolder, ANameThatLeadsElsewhereIsNoNetwork) {
  make_folder("sub");
  write_list("sub/a.conflist", "../n", "a");
  make_folder("n");
  write_plugin("n/1.conf", "n", "elsewhere");
  try {
    get_network_file(folder_ / "sub/a.conflist");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), HasSubstr("sub/a.conflist: invalid characters found in network name"));
  }
  EXPECT_THROW(find_network(folder_ / "sub", "../n"), Error);
  EXPECT_EQ(find_network(folder_ / "sub", "n").seen.size(), 1U) << "it is another's, no obstacle";
}

TEST_F(NetworkFolder, AFileByItsPath) {
  write_list("a.conflist", "n", "a");
  make_folder("n");
  write_plugin("n/1.conf", "n", "b");
  EXPECT_EQ(get_network_file(folder_ / "a.conflist").members.size(), 2U);
  write_plugin("b.conf", "n", "single");
  EXPECT_EQ(get_network_file(folder_ / "b.conf").members.size(), 1U) << "single ones take none";
  write_plugin("plugin", "n", "single");
  EXPECT_EQ(get_network_file(folder_ / "plugin").members[0].type, "single");
  write_list("list", "m", "a");
  EXPECT_EQ(get_network_file(folder_ / "list").name, "m");
  write("broken", "{");
  EXPECT_THROW(get_network_file(folder_ / "broken"), Error);
  write("c.conf", R"({"type":"loopback"})");
  EXPECT_THROW(get_network_file(folder_ / "c.conf"), Error) << "a verb needs a name";
  try {
    get_network_file(folder_ / "nowhere");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), HasSubstr("nowhere: No such file or directory"));
  }
}

TEST_F(NetworkFolder, LinksAreFollowedAndDeadOnesNamed) {
  write_list("there", "n", "a");
  ASSERT_EQ(::symlink("there", (folder_ / "1.conflist").c_str()), 0);
  EXPECT_THAT(types("n"), ElementsAre("a"));
  ASSERT_EQ(::unlink((folder_ / "there").c_str()), 0);
  EXPECT_THAT(refusal("n").msg(), HasSubstr("1.conflist: it is a symbolic link to a file that"));
}

TEST_F(NetworkFolder, AFifoHoldsNobody) {
  ASSERT_EQ(::mkfifo((folder_ / "1.conflist").c_str(), 0600), 0);
  EXPECT_THAT(refusal("n").msg(), HasSubstr("1.conflist"));
}

TEST_F(NetworkFolder, ALargeFileIsRefused) {
  write("1.conflist", std::string(kListFileLimit + 1, ' '));
  EXPECT_THAT(refusal("n").msg(), HasSubstr("1.conflist"));
}

TEST_F(NetworkFolder, TheListingHasAllFilesAndWhoIsTaken) {
  write_list("1.conflist", "n", "a");
  write("2.conflist", "{");
  write_list("3.conflist", "n", "b");
  write_plugin("0.conf", "n", "c");
  write_plugin("4.json", "m", "d");
  write("5.conf", R"({"type":"loopback"})");
  const std::vector<FolderEntry> entries = list_networks(folder_.path());
  std::vector<std::string> shown;
  for (const FolderEntry& entry : entries) {
    shown.push_back(entry.path.substr(folder_.path().size() + 1) +
                    (entry.problem ? " broken" : " " + entry.list->name) +
                    (entry.shadowed_by.empty() ? "" : " shadowed"));
  }
  EXPECT_THAT(shown, ElementsAre("1.conflist n", "2.conflist broken", "3.conflist n shadowed",
                                 "0.conf n shadowed", "4.json m", "5.conf broken"));
  EXPECT_EQ(entries[2].shadowed_by, folder_ / "1.conflist");
  EXPECT_THAT(list_networks(folder_ / "nowhere"), IsEmpty());
}

}  // namespace
}  // namespace unicni::protocol::network_folder_test
