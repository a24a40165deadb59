// The journal is a hint: it helps DEL and never makes it touch what isn't the attachment's.
#include <sys/mount.h>

#include <filesystem>

#include "integration/host_test.h"

namespace unicni::test::journal_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kEntry = "/run/unicni/attachments/mynet:c1:eth0";

class Journal : public HostTest {
 protected:
  void SetUp() override {
    job_ = attachment(mynet_1_0());
    before_ = snapshot();
    result_ = must_add(job_);
    ASSERT_THAT(files_in(kJournals), ElementsAre("mynet:c1:eth0"));
  }
  void expect_nothing_left() { EXPECT_EQ(left_on_host(before_), ""); }
  Attachment job_;
  Snapshot before_;
  Json result_;
};

TEST_F(Journal, IsForRootAlone) {
  EXPECT_EQ(fs::status(kJournals).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(kEntry).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Journal, OfAnotherHostNamespaceIsLeftAlone) {
  const std::string veth = host_end(result_);
  sandbox_.on_another_host([&] {
    // The same names on another host that shares /run, as with nested runtimes.
    tool({"ip", "link", "add", veth, "type", "veth", "peer", "name", "x"});
    tool({"ip", "link", "add", "cni0", "type", "bridge"});
    const Snapshot other = kernel_snapshot(-1);
    Attachment nowhere = job_;
    nowhere.netns = "";
    // host-local's files are shared as well, so the reservation may go: keep it out of this test
    nowhere.config["ipam"]["dataDir"] = "/run/other";
    expect_silent_success(nowhere.del());
    EXPECT_EQ(difference(other, kernel_snapshot(-1)), "");
  });
  EXPECT_THAT(files_in(kJournals), ElementsAre("mynet:c1:eth0"));
  expect_silent_success(job_.check(result_));
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(Journal, RecycledNameIsLeftAlone) {
  const std::string veth = host_end(result_);
  tool({"ip", "link", "del", veth});
  tool({"ip", "link", "add", veth, "type", "veth", "peer", "name", "foreign"});
  job_.netns = "";
  expect_silent_success(job_.del());
  EXPECT_TRUE(find_link(veth));
  EXPECT_TRUE(find_link("foreign"));
  EXPECT_THAT(reservations("mynet"), IsEmpty());
  EXPECT_THAT(masqueraded(4), IsEmpty());
}

TEST_F(Journal, ReservationOfANewOwnerIsLeftAlone) {
  write_file("/var/lib/cni/networks/mynet/10.22.0.2", "c7\r\neth0");
  expect_silent_success(job_.del());
  EXPECT_EQ(read_file("/var/lib/cni/networks/mynet/10.22.0.2"), "c7\r\neth0");
}

TEST_F(Journal, MasqueradeOfANewOwnerIsLeftAlone) {
  tool({"nft", "delete", "element", "inet", "unicni", "masq4_16", "{ 10.22.0.2 . 10.22.0.0 }"});
  tool({"nft", "add", "element", "inet", "unicni", "masq4_16",
        "{ 10.22.0.2 . 10.22.0.0 comment \"mynet/c7/eth0\" }"});
  expect_silent_success(job_.del());
  EXPECT_THAT(masqueraded(4), ElementsAre("10.22.0.2 mynet/c7/eth0"));
}

TEST_F(Journal, GarbageIsNoObstacle) {
  int number = 2;
  for (const std::string& garbage :
       {std::string(), std::string("x"), std::string(4096, '\0'), std::string(100000, '\n'),
        std::string("unicni-journal 1 boot=x\nveth name=cni0 alias=x\n"),
        read_file(kEntry).substr(10)}) {
    const Attachment job = attachment(mynet_1_0(), "g" + std::to_string(number++));
    must_add(job);
    write_file("/run/unicni/attachments/mynet:" + job.container_id + ":eth0", garbage, 0600);
    expect_silent_success(job.del());
    EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
    const Json result = must_add(job);
    expect_silent_success(job.check(result));
    expect_silent_success(job.del());
  }
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(Journal, EveryTruncationIsNoObstacle) {
  const std::string text = read_file(kEntry);
  for (std::size_t size = 0; size < text.size(); size += 97) {
    SCOPED_TRACE(size);
    write_file(kEntry, text.substr(0, size), 0600);
    expect_silent_success(job_.del());
    ASSERT_EQ(left_on_host(before_), "");
    must_add(job_);
  }
}

TEST_F(Journal, EntryThatIsAFolderIsNoObstacleForDel) {
  fs::remove(kEntry);
  fs::create_directories(std::string(kEntry) + "/below");
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(Journal, FullFolderIsNoObstacleForDelAndGc) {
  const Attachment second = attachment(with_version(mynet(), "1.1.0"), "c2");
  must_add(second);
  const std::string first_entry = read_file(kEntry);
  const std::string second_entry = read_file("/run/unicni/attachments/mynet:c2:eth0");
  ASSERT_EQ(::mount("tmpfs", kJournals, "tmpfs", 0, "size=16k,mode=700"), 0);
  write_file(kEntry, first_entry, 0600);
  write_file("/run/unicni/attachments/mynet:c2:eth0", second_entry, 0600);
  write_file("/run/unicni/attachments/ballast", std::string(65536, 'x'), 0600);
  expect_silent_success(job_.del());
  expect_silent_success(second.gc(Json::array()));
  fs::remove("/run/unicni/attachments/ballast");
  expect_nothing_left();
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Journal, ReadOnlyFolderIsNoObstacleForDelAndGc) {
  const Attachment second = attachment(mynet_1_0(), "c2");
  must_add(second);
  ASSERT_EQ(::mount(kJournals, kJournals, nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, kJournals, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  expect_silent_success(job_.del());
  Attachment all = second;
  all.config = with_version(all.config, "1.1.0");
  const Output gc = all.gc(Json::array());
  EXPECT_EQ(gc.signal, 0);
  EXPECT_THAT(reservations("mynet"), IsEmpty());
  EXPECT_THAT(masqueraded(4), IsEmpty());
  EXPECT_THAT(link_names(), ElementsAre("cni0"));
}

TEST_F(Journal, NetnsDeletedFirstStillRemovesTheMasquerade) {
  container_of(job_).remove();
  job_.netns = "";
  expect_silent_success(job_.del());
  EXPECT_THAT(masqueraded(4), IsEmpty());
  expect_nothing_left();
}

TEST_F(Journal, ConfigurationOfAddDecidesWhatDelDoes) {
  Attachment changed = job_;
  changed.config["ipMasq"] = false;
  changed.config["bridge"] = "elsewhere0";
  changed.config["ipam"] = {
      {"type", "host-local"}, {"subnet", "10.55.0.0/16"}, {"dataDir", "/run/elsewhere"}};
  expect_silent_success(changed.del());
  expect_nothing_left();
}

TEST_F(Journal, ConfigurationThatIsWrongTodayIsNoObstacleForDel) {
  Attachment changed = job_;
  changed.config["bridge"] = 5;
  changed.config["ipam"] = {{"type", "bridge"}};
  expect_silent_success(changed.del());
  expect_nothing_left();
}

TEST_F(Journal, EntryOfALostContainerRefusesNoAdd) {
  container_of(job_).remove();
  Attachment again = job_;
  again.netns = container("again").path();
  const Json result = must_add(again);
  expect_silent_success(again.check(result));
  EXPECT_EQ(masqueraded(4).size(), 1U);
  EXPECT_EQ(reservations("mynet").size(), 1U);
}

TEST_F(Journal, LiveAttachmentElsewhereRefusesASecondAdd) {
  Attachment again = job_;
  again.netns = container("again").path();
  const Snapshot full = snapshot();
  EXPECT_THAT(expect_error(again.add())["msg"], HasSubstr("mynet/c1/eth0"));
  EXPECT_EQ(difference(full, snapshot()), "");
}

// A private copy of the installation, to take something out of it.
class MissingModule : public Journal {
 protected:
  void SetUp() override {
    fs::create_directories("/run/stage/lib");
    fs::create_directories("/run/stage/libexec");
    fs::copy(stage() + "/lib/unicni", "/run/stage/lib/unicni", fs::copy_options::recursive);
    fs::copy(bin_dir(), "/run/stage/libexec/cni",
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    Journal::SetUp();
    job_.folder = job_.cni_path = "/run/stage/libexec/cni";
    // Else a module would be found where this build was meant to be installed.
    tool({"mount", "-t", "tmpfs", "tmpfs", stage() + "/lib/unicni/modules"});
  }
};

TEST_F(MissingModule, DelUndoesWithoutIt) {
  fs::remove("/run/stage/lib/unicni/modules/bridge.so");
  const Output output = job_.del();
  expect_silent_success(output);
  EXPECT_THAT(output.err, HasSubstr("bridge"));
  expect_nothing_left();
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  EXPECT_THAT(link_names(container_of(job_).fd()), IsEmpty());
}

TEST_F(MissingModule, DelUndoesWithoutItAndWithoutTheNamespace) {
  fs::remove("/run/stage/lib/unicni/modules/bridge.so");
  container_of(job_).remove();
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(MissingModule, DelUndoesWithoutTheIpamsModule) {
  fs::remove("/run/stage/lib/unicni/modules/host-local.so");
  const Output output = job_.del();
  expect_silent_success(output);
  EXPECT_THAT(output.err, HasSubstr("host-local"));
  expect_nothing_left();
}

TEST_F(MissingModule, DelReleasesWithoutTheIpamsModuleAndTheJournal) {
  fs::remove("/run/stage/lib/unicni/modules/host-local.so");
  fs::remove(kEntry);
  expect_silent_success(job_.del());
  expect_nothing_left();
  EXPECT_THAT(link_names(container_of(job_).fd()), IsEmpty());
}

TEST_F(MissingModule, AddIsRefused) {
  fs::remove("/run/stage/lib/unicni/modules/bridge.so");
  Attachment other = attachment(mynet(), "c2");
  other.folder = other.cni_path = job_.folder;
  const Snapshot full = snapshot();
  expect_error(other.add());
  EXPECT_EQ(difference(full, snapshot()), "");
}

TEST_F(MissingModule, ThatOthersCanReplaceIsRefused) {
  tool({"chmod", "o+w", "/run/stage/lib/unicni/modules/bridge.so"});
  Attachment other = attachment(mynet(), "c2");
  other.folder = other.cni_path = job_.folder;
  EXPECT_THAT(expect_error(other.add())["msg"], HasSubstr("bridge.so"));
}

}  // namespace
}  // namespace unicni::test::journal_test
