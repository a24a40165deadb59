// Started without stdin, stdout or stderr: nothing that is opened later takes their place.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <sstream>

#include "integration/host_test.h"

namespace unicni::test::descriptors_test {
namespace {

using ::testing::IsEmpty;

class Descriptors : public HostTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  [[nodiscard]] static bool closed(int fd) {
    return (GetParam() >> static_cast<unsigned>(fd) & 1U) != 0;
  }
  static Output call(const Attachment& job, const char* command, const Json& request) {
    Spawn spawn = job.spawn(command, request);
    for (const int fd : {0, 1, 2}) {
      if (closed(fd)) spawn.closed.push_back(fd);
    }
    return run(spawn);
  }
  static Json list() {
    Json config = mynet_1_0();
    config["type"] = "unicni";
    Json bridge = mynet();
    bridge["unknown-key"] = "is told of on stderr";
    config["plugins"] = {bridge, {{"type", "tuning"}, {"mtu", 1400}}, {{"type", "firewall"}}};
    return config;
  }
};

TEST_P(Descriptors, AddWorksOrLeavesNothing) {
  const Attachment job = attachment(list());
  const Snapshot host = snapshot();
  const Snapshot inside = kernel_snapshot(netns(job));
  const Output add = call(job, "ADD", job.config);
  if (!closed(0) && !closed(1)) {
    EXPECT_TRUE(add.ok()) << add.str();
    EXPECT_TRUE(add.json().is_object());
    EXPECT_EQ(find_link("eth0", netns(job))->at("mtu"), 1400);
    EXPECT_THAT(files_in(kJournals), ::testing::Not(IsEmpty()));
    expect_silent_success(job.del());
  } else {
    EXPECT_EQ(add.status, 1) << add.str();
    EXPECT_EQ(add.out.empty(), closed(1)) << add.str();
    EXPECT_EQ(difference(inside, kernel_snapshot(netns(job))), "");
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
  EXPECT_EQ(difference(without_link(host, "cni0"), without_link(snapshot(), "cni0")), "");
}

TEST_P(Descriptors, TheOtherVerbsNeedNoMoreThanTheyUse) {
  const Attachment job = attachment(list());
  Json request = job.config;
  request["prevResult"] = must_add(job);
  const Snapshot before = snapshot();
  const int works = closed(0) ? 1 : 0;
  EXPECT_EQ(call(job, "CHECK", request).status, works);
  EXPECT_EQ(difference(before, snapshot()), "") << "no journal was written into";
  const Output version = call(job, "VERSION", request);
  EXPECT_EQ(version.status, closed(1) ? 1 : 0) << version.str();
  const Output del = call(job, "DEL", request);
  EXPECT_EQ(del.status, works) << del.str();
  if (works != 0) expect_silent_success(job.del());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_P(Descriptors, AForeignPluginWorksWithoutThemAsWell) {
  Attachment job = attachment(mynet_1_0());
  job.config["ipam"] = {{"type", "host-local"}, {"subnet", "10.22.0.0/16"}};
  job.cni_path = kReferenceDir;
  const Output add = call(job, "ADD", job.config);
  EXPECT_EQ(add.status, closed(0) || closed(1) ? 1 : 0) << add.str();
  EXPECT_EQ(reservations("mynet").size(), add.ok() ? 1U : 0U);
  expect_silent_success(job.del());
  EXPECT_THAT(reservations("mynet"), IsEmpty());
}

TEST_P(Descriptors, NothingThatIsOpenedLaterTakesTheirPlaces) {
  std::filesystem::create_directories("/run/plugins");
  write_file("/run/plugins/spy",
             "#!/bin/sh\ncat >/dev/null\nfor fd in 0 1 2; do readlink /proc/$PPID/fd/$fd; done "
             ">/run/spied\n"
             "echo '{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.22.0.9/16\"}]}'\n",
             0755);
  Attachment job = attachment(mynet_1_0());
  job.config["ipam"] = {{"type", "spy"}};
  job.cni_path = "/run/plugins";
  Spawn spawn = job.spawn("ADD", job.config);
  for (const int fd : {1, 2}) {
    if (closed(fd)) spawn.closed.push_back(fd);
  }
  if (closed(0)) {
    // Without a configuration nothing is opened.
    spawn.closed.push_back(0);
    EXPECT_EQ(run(spawn).status, 1);
    EXPECT_FALSE(exists("/run/spied"));
    return;
  }
  EXPECT_EQ(run(spawn).status, closed(1) ? 1 : 0);
  std::istringstream spied(read_file("/run/spied"));
  std::array<std::string, 3> targets;
  for (std::string& target : targets) std::getline(spied, target);
  EXPECT_NE(targets[0], "/dev/null");
  EXPECT_EQ(targets[1], targets[2]) << "what a module prints is kept from the answer";
  EXPECT_EQ(targets[2] == "/dev/null", closed(2)) << targets[2];
  expect_silent_success(job.del());
}

INSTANTIATE_TEST_SUITE_P(Closed, Descriptors, ::testing::Range(0U, 8U), [](const auto& tested) {
  std::string name;
  for (unsigned fd = 0; fd < 3; ++fd) {
    if ((tested.param >> fd & 1U) != 0) name += std::to_string(fd);
  }
  return name.empty() ? "None" : name;
});

class UnwritableStdout : public HostTest {};

TEST_F(UnwritableStdout, IsAFailedAdd) {
  for (const int mode : {O_RDONLY, O_WRONLY}) {
    const char* path = mode == O_RDONLY ? "/dev/null" : "/dev/full";
    SCOPED_TRACE(path);
    const Attachment job = attachment(mynet_1_0(), mode == O_RDONLY ? "c1" : "c2");
    Spawn spawn = job.spawn("ADD", job.config);
    const std::string redirect =
        mode == O_RDONLY ? "exec \"$0\" 1</dev/null" : "exec \"$0\" >/dev/full";
    spawn.argv = {"sh", "-c", redirect, spawn.argv[0]};
    const Snapshot inside = kernel_snapshot(netns(job));
    const Output add = run(spawn);
    EXPECT_EQ(add.status, 1) << add.str();
    EXPECT_THAT(add.err, ::testing::HasSubstr("write the answer to stdout"));
    EXPECT_EQ(difference(inside, kernel_snapshot(netns(job))), "");
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
}

}  // namespace
}  // namespace unicni::test::descriptors_test
