// An ADD that fails leaves the host and the container as they were.
#include <sys/mount.h>

#include <filesystem>

#include "integration/host_test.h"

namespace unicni::test::failed_add_test {
namespace {

using ::testing::HasSubstr;

class FailedAdd : public HostTest {
 protected:
  /// The ADD fails, and both namespaces are as before; the error.
  Json expect_no_trace(const Attachment& job, unsigned code = 0) {
    const int netns = container_of(job).fd();
    const Snapshot host = snapshot();
    const Snapshot inside = kernel_snapshot(netns);
    Json error = expect_error(job.add(), code);
    EXPECT_EQ(difference(host, snapshot()), "");
    EXPECT_EQ(difference(inside, kernel_snapshot(netns)), "");
    EXPECT_THAT(files_in(kJournals), ::testing::SizeIs(journals_)) << "a journal entry is left";
    return error;
  }
  std::size_t journals_ = 0;  ///< of attachments that live
};

TEST_F(FailedAdd, PoolExhausted) {
  Json config = mynet();
  config["ipam"]["rangeStart"] = "10.22.0.2";
  config["ipam"]["rangeEnd"] = "10.22.0.2";
  const Attachment first = attachment(config, "c1");
  must_add(first);
  journals_ = 1;
  const Attachment second = attachment(config, "c2");
  EXPECT_THAT(expect_no_trace(second)["msg"], HasSubstr("no IP addresses available"));
  expect_silent_success(first.del());
  journals_ = 0;
  must_add(second);
}

TEST_F(FailedAdd, InterfaceExistsInTheContainer) {
  const Attachment job = attachment(mynet());
  container_of(job).run({"ip", "link", "add", "eth0", "type", "bridge"});
  EXPECT_THAT(expect_no_trace(job)["msg"], HasSubstr("eth0"));
}

TEST_F(FailedAdd, RouteUnreachable) {
  Json config = mynet();
  config["ipam"]["routes"] = Json::parse(R"([{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}])");
  const Json error = expect_no_trace(attachment(config));
  EXPECT_THAT(error["msg"], HasSubstr("10.99.0.0/16"));
  EXPECT_THAT(error["msg"], HasSubstr("192.168.77.1"));
}

TEST_F(FailedAdd, RouteUnreachableBesideOthersOfTheBridge) {
  const Attachment first = attachment(mynet(), "c1");
  must_add(first);
  journals_ = 1;
  Json config = mynet();
  config["ipam"]["routes"] = Json::parse(R"([{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}])");
  expect_no_trace(attachment(config, "c2"));
}

TEST_F(FailedAdd, BridgeNameIsAnotherKindOfLink) {
  tool({"ip", "link", "add", "cni0", "type", "veth", "peer", "name", "other"});
  const Json error = expect_no_trace(attachment(mynet()));
  EXPECT_THAT(error["msg"], HasSubstr("cni0"));
  EXPECT_THAT(error["msg"], HasSubstr("veth"));
}

TEST_F(FailedAdd, BridgeNameIsNoName) {
  for (const char* name : {"", "a/b", "sixteen-bytes-xx", "a b", "."}) {
    Json config = mynet();
    config["bridge"] = name;
    EXPECT_THAT(
        expect_no_trace(attachment(config, "c" + std::to_string(containers_.size())), 7)["msg"],
        HasSubstr("bridge"));
  }
}

TEST_F(FailedAdd, FolderOfReservationsUnwritable) {
  write_file("/run/file", "");
  Json config = mynet();
  config["ipam"]["dataDir"] = "/run/file/below";
  EXPECT_THAT(expect_no_trace(attachment(config))["msg"], HasSubstr("/run/file/below"));
}

TEST_F(FailedAdd, NetnsMissing) {
  Attachment job = attachment(mynet());
  job.netns = "/run/netns/nobody";
  const Snapshot host = snapshot();
  expect_error(job.add(), 8);
  EXPECT_EQ(difference(host, snapshot()), "");
}

TEST_F(FailedAdd, NetnsIsTheHosts) {
  Attachment job = attachment(mynet());
  job.netns = "/proc/self/ns/net";
  const Snapshot host = snapshot();
  expect_error(job.add(), 8);
  EXPECT_EQ(difference(host, snapshot()), "");
}

TEST_F(FailedAdd, NetnsIsAnOrdinaryFile) {
  Attachment job = attachment(mynet());
  write_file("/run/netns/plain", "");
  job.netns = "/run/netns/plain";
  const Snapshot host = snapshot();
  expect_error(job.add(), 8);
  EXPECT_EQ(difference(host, snapshot()), "");
}

TEST_F(FailedAdd, JournalFolderFull) {
  std::filesystem::create_directories(kJournals);
  ASSERT_EQ(::mount("tmpfs", kJournals, "tmpfs", 0, "size=4k,mode=700"), 0);
  write_file(std::string(kJournals) + "/ballast", std::string(8192, 'x'), 0600);
  journals_ = 1;
  EXPECT_THAT(expect_no_trace(attachment(mynet()))["msg"], HasSubstr(kJournals));
}

TEST_F(FailedAdd, JournalFolderReadOnly) {
  std::filesystem::create_directories(kJournals);
  ASSERT_EQ(::mount("tmpfs", kJournals, "tmpfs", MS_RDONLY, "mode=700"), 0);
  EXPECT_THAT(expect_no_trace(attachment(mynet()))["msg"], HasSubstr(kJournals));
}

TEST_F(FailedAdd, ResultCannotBePrinted) {
  const Attachment job = attachment(mynet());
  const Snapshot host = snapshot();
  const Spawn spawn = job.spawn("ADD", job.config);
  const Output output = run({.argv = {"sh", "-c", "exec \"$0\" > /dev/full", spawn.argv[0]},
                             .env = spawn.env,
                             .in = spawn.in,
                             .program = "/bin/sh"});
  EXPECT_GT(output.status, 0);
  EXPECT_EQ(difference(host, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::failed_add_test
