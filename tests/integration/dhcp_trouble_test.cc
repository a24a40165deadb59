// The daemon in trouble: it hangs, its folder is full or was emptied, others have its clients' ids,
// and it was started where the host's mounts don't reach.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "integration/dhcp_host.h"

namespace unicni::test::dhcp_trouble_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// The daemon on the socket, whatever mounts it has; it ends with the object.
class Stranger {
 public:
  Stranger() {
    struct stat ours {};
    EXPECT_EQ(::stat(kDhcpSocket, &ours), 0);
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      struct stat theirs {};
      const std::string socket = entry.path().string() + "/root" + kDhcpSocket;
      if (::stat(socket.c_str(), &theirs) != 0 || theirs.st_ino != ours.st_ino ||
          theirs.st_dev != ours.st_dev) {
        continue;
      }
      std::ifstream file(entry.path() / "cmdline", std::ios::binary);
      const std::string line((std::istreambuf_iterator<char>(file)), {});
      if (line.starts_with(std::string("dhcp\0daemon\0", 12))) pid_ = std::stoi(name);
    }
    EXPECT_NE(pid_, 0);
  }
  ~Stranger() {
    if (pid_ != 0) ::kill(pid_, SIGKILL);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

 private:
  int pid_ = 0;
};

/// This process listens there, has as many callers as it can have, and accepts none.
class FullQueue {
 public:
  explicit FullQueue(const std::string& path) {
    address_.sun_family = AF_UNIX;
    path.copy(address_.sun_path, sizeof address_.sun_path - 1);
    ::unlink(path.c_str());
    EXPECT_EQ(::bind(fds_.emplace_back(make()), get(), sizeof address_), 0);
    EXPECT_EQ(::listen(fds_.front(), 0), 0);
    while (::connect(fds_.emplace_back(make()), get(), sizeof address_) == 0) {
    }
  }
  ~FullQueue() {
    for (const int fd : fds_) ::close(fd);
    ::unlink(address_.sun_path);
  }
  FullQueue(const FullQueue&) = delete;
  FullQueue& operator=(const FullQueue&) = delete;

 private:
  static int make() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  sockaddr_un address_{};
  std::vector<int> fds_;
};

class DhcpTrouble : public DhcpTest {
 protected:
  DhcpServer server(std::vector<std::string> more = {}) {
    return DhcpServer::dnsmasq("far", outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s",
                               std::move(more));
  }
  static std::string text_of(const Json& error, const char* key) {
    return error[key].get<std::string>();
  }
  static std::string file() { return std::string(kLeases) + "/net:c1:eth0"; }
};

TEST_F(DhcpTrouble, AnIdOfTwoContainersIsRefusedAndCostsTheServerNoAddress) {
  const DhcpServer dnsmasq = server();
  const Json shared = config(R"({"ipam": {"clientId": "constant"}})");
  const Attachment first = attachment(shared);
  const Json result = must_add(first);
  const std::string address = address_in(result).substr(0, address_in(result).find('/'));
  int count = 0;
  for (const char* changes : {"{}", R"({"name": "other"})", R"({"ipam": {"arpProbe": 0}})"}) {
    Json config = shared;
    config.merge_patch(Json::parse(changes));
    const Json error = expect_error(attachment(config, "x" + std::to_string(count++)).add(), 7);
    EXPECT_THAT(text_of(error, "msg"), HasSubstr("clientId: net/c1/eth0 has " + address +
                                                 " of 10.1.2.1 under the same id"));
    EXPECT_THAT(text_of(error, "details"), HasSubstr("${K8S_POD_NAME}"));
  }
  EXPECT_EQ(dnsmasq.count("DHCPDECLINE"), 0) << dnsmasq.log();
  EXPECT_EQ(dnsmasq.count("DHCPREQUEST"), 1) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), SizeIs(1));
  expect_silent_success(first.check(result));
  container_of(first).remove();  // as a pod's earlier container
  Json trusting = shared;        // its interface may answer for a moment yet
  trusting["ipam"]["arpProbe"] = 0;
  EXPECT_EQ(address_in(must_add(attachment(trusting, "c2"))), address_in(result));
}

TEST_F(DhcpTrouble, AddressesThatAreAllInUseAreNotDeclinedForEver) {
  Container& thief = container("thief");
  tool({"ip", "link", "add", "m0", "link", "up0", "type", "macvlan", "mode", "bridge"});
  tool({"ip", "link", "set", "m0", "netns", thief.path()});
  thief.run({"ip", "link", "set", "m0", "up"});
  for (const char* address : {"10.1.2.50/24", "10.1.2.51/24", "10.1.2.52/24", "10.1.2.53/24"}) {
    thief.run({"ip", "addr", "add", address, "dev", "m0"});
  }
  const DhcpServer dnsmasq = server({"--dhcp-sequential-ip"});
  const Json error = expect_error(attachment(config()).add(), 11);
  EXPECT_THAT(text_of(error, "msg"), HasSubstr("gave 10.1.2.50, which another machine uses"));
  EXPECT_THAT(text_of(error, "details"), HasSubstr("keep them out of its range"));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPDECLINE") == 3; })) << dnsmasq.log();
}

TEST_F(DhcpTrouble, AFullFolderIsToldByStatusAndAnAddFailsThere) {
  tool({"mkdir", "-p", "-m", "700", "/run/unicni", kLeases});
  tool({"mount", "-t", "tmpfs", "-o", "size=4k,mode=700", "none", kLeases});
  write_file(std::string(kLeases) + "/.fill", "x");
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  EXPECT_THAT(text_of(expect_error(job.status(), 50), "msg"), HasSubstr("No space left on device"));
  EXPECT_THAT(text_of(expect_error(job.add()), "msg"), HasSubstr("No space left on device"));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  std::filesystem::remove(std::string(kLeases) + "/.fill");
  expect_silent_success(job.status());
  must_add(job);
  expect_silent_success(job.del());
  kill_dhcp_daemons();
  tool({"umount", kLeases});
}

TEST_F(DhcpTrouble, ADelUnderAHungDaemonReleasesByItself) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  ::kill(dhcp_daemons()[0], SIGSTOP);
  const Output output = job.del(result);
  EXPECT_TRUE(output.ok()) << output.str();
  EXPECT_LT(output.ms, 4'000) << "a wait of 1.5 s";
  EXPECT_THAT(output.err, HasSubstr("without it " + address_in(result) +
                                    " of net/c1/eth0 went back to 10.1.2.1"));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  ::kill(dhcp_daemons()[0], SIGCONT);
  expect_silent_success(job.status());
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpTrouble, ADelEndsTheAddThatWaitsAndAGcPassesItBy) {
  const Attachment job = attachment(config(R"({"ipam": {"timeout": 20}})"));
  Running add(job.spawn("ADD", job.config));
  const auto waits = [&] { return daemon_listens_in(netns(job)); };
  ASSERT_TRUE(soon(waits));
  const Output gc = job.gc(Json::array());
  EXPECT_TRUE(gc.ok()) << gc.str();
  EXPECT_LT(gc.ms, 6'000) << "of fifteen seconds";
  EXPECT_THAT(gc.err, HasSubstr("net/c1/eth0 is left to the next GC"));
  EXPECT_TRUE(waits());
  const Output del = job.del();
  EXPECT_TRUE(del.ok()) << del.str();
  EXPECT_LT(del.ms, 5'000) << "of seven and a half";
  EXPECT_THAT(text_of(expect_error(add.wait(), 11), "msg"), HasSubstr("taken down meanwhile"));
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(DhcpTrouble, AnAddWhoseInterfaceGoesEnds) {
  const Attachment job = attachment(config(R"({"ipam": {"timeout": 20}})"));
  Running add(job.spawn("ADD", job.config));
  ASSERT_TRUE(soon([&] { return daemon_listens_in(netns(job)); }));
  container_of(job).run({"ip", "link", "del", "eth0"});
  const Output output = add.wait();
  EXPECT_LT(output.ms, 10'000) << "of twenty seconds";
  EXPECT_THAT(text_of(expect_error(output), "msg"), HasSubstr("interface is gone"));
}

TEST_F(DhcpTrouble, AFileThatWasRemovedIsMadeAgainAndADelBeforeThatReleases) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  std::filesystem::remove(file());
  EXPECT_TRUE(soon([] { return exists(file()); }));
  // At once: file by file it could be made again meanwhile.
  const std::string gone = std::string(kLeases) + ".gone";
  std::filesystem::rename(kLeases, gone);
  std::filesystem::remove_all(gone);
  EXPECT_TRUE(soon([] { return exists(file()); }));
  expect_silent_success(job.check(result));
  const std::string pid = std::to_string(dhcp_daemons()[0]);
  ::kill(dhcp_daemons()[0], SIGSTOP);
  std::filesystem::remove(file());
  Running del(job.spawn("DEL", job.config));
  const auto is_asked = [&] {
    return tool({"nsenter", "-t", pid, "-n", "ss", "-xlH"}).out.find("LISTEN 1 ") !=
           std::string::npos;
  };
  soon(is_asked, std::chrono::milliseconds(700));  // a DEL waits for 1.5 s
  ::kill(dhcp_daemons()[0], SIGCONT);
  expect_silent_success(del.wait());
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpTrouble, AStrangerWhoseQueueIsFullIsNamedAtOnce) {
  const DhcpServer dnsmasq = server();
  const Attachment first = attachment(config(), "c1");
  must_add(first);
  kill_dhcp_daemons();
  const FullQueue stranger(kDhcpSocket);
  const auto start = std::chrono::steady_clock::now();
  const Json error = expect_error(attachment(config(), "c2").add(), 50);
  const std::string pid = std::to_string(::getpid());
  EXPECT_THAT(text_of(error, "msg"), HasSubstr("belongs to pid " + pid + " ("));
  EXPECT_EQ(text_of(error, "details"), "stop it: kill " + pid);
  const Output deleted = first.del();
  EXPECT_TRUE(deleted.ok()) << deleted.str();
  EXPECT_THAT(deleted.err, HasSubstr(" of net/c1/eth0 went back to 10.1.2.1"));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5))
      << "of which ADD has 5";
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpTrouble, WhateverIsAtTheSocketsPathADelSucceedsAndTheServerIsTold) {
  const DhcpServer dnsmasq = server();
  const std::string path = kDhcpSocket;
  const std::string serve = "import socket,sys;s=socket.socket(socket.AF_UNIX);s.bind('" + path +
                            "');s.listen();held=[]\nwhile 1:\n c=s.accept()[0]\n ";
  const std::vector<std::pair<std::string, std::vector<std::string>>> things{
      {"a file", {"touch", path}},
      {"a folder", {"mkdir", path}},
      {"a link to nothing", {"ln", "-s", "/nowhere", path}},
      {"a socket for datagrams",
       {"python3", "-c",
        "import socket,time;s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.bind('" + path +
            "');time.sleep(60)"}},
      {"who hangs up", {"python3", "-c", serve + "c.close()"}},
      {"who says nothing", {"python3", "-c", serve + "held.append(c)"}},
  };
  const Attachment job = attachment(config());
  const Attachment other = attachment(config(R"({"ipam": {"timeout": 2}})"), "c2");
  int released = 0;
  for (const auto& [what, command] : things) {
    SCOPED_TRACE(what);
    must_add(job);
    kill_dhcp_daemons();
    std::filesystem::remove(path);
    const Running thing(Spawn{.argv = command});
    ASSERT_TRUE(
        soon([&] { return std::filesystem::exists(std::filesystem::symlink_status(path)); }));
    const Output added = other.add();
    EXPECT_FALSE(added.ok());
    EXPECT_THAT(added.out, ::testing::AnyOf(HasSubstr("\"code\": 50"), HasSubstr("\"code\": 7,")))
        << added.str();
    const Output deleted = job.del();
    EXPECT_TRUE(deleted.ok()) << deleted.str();
    EXPECT_THAT(deleted.err, HasSubstr(" of net/c1/eth0 went back to 10.1.2.1"));
    EXPECT_LT(deleted.ms, 4'000);
    ++released;
    EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == released; })) << dnsmasq.log();
    EXPECT_THAT(files_in(kLeases), IsEmpty());
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
    std::filesystem::remove(path);
  }
}

/// What stands in the way of a daemon that is to be started.
class Hindrance {
 public:
  Hindrance(const std::string& make, std::string mend) : mend_(std::move(mend)) {
    tool({"sh", "-ec", make});
  }
  ~Hindrance() { tool({"sh", "-ec", mend_}); }
  Hindrance(const Hindrance&) = delete;
  Hindrance& operator=(const Hindrance&) = delete;

 private:
  std::string mend_;
};

struct HindranceCase {
  const char* what;
  const char* make;
  const char* mend;
  const char* said;  ///< by whoever wants the daemon
};

const std::vector<HindranceCase> kHindrances{
    {"a folder that nobody can write",
     "mount --bind /run/cni /run/cni; mount -o remount,bind,ro /run/cni", "umount /run/cni",
     "Read-only file system"},
    {"a folder with no room for a lock", "mount -t tmpfs -o nr_inodes=1 none /run/cni",
     "umount /run/cni", "No space left"},
    {"a file in place of its folder", "rm -rf /run/cni; touch /run/cni",
     "rm /run/cni; mkdir /run/cni", "create folder /run/cni"},
    {"a link to itself", "ln -s dhcp.sock /run/cni/dhcp.sock", "rm /run/cni/dhcp.sock",
     "Too many levels"},
    {"a lock that somebody holds",
     "sh -c 'exec 9> /run/cni/dhcp.sock.lock; flock 9; exec sleep 600' > /dev/null 2>&1 & "
     "echo $! > /run/holder; sleep 0.5",
     "kill $(cat /run/holder); rm /run/holder", "held by pid"},
};

TEST_F(DhcpTrouble, WhateverKeepsTheDaemonFromStartingADelSucceedsAndTheServerIsTold) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  int released = 0;
  for (const HindranceCase& each : kHindrances) {
    SCOPED_TRACE(each.what);
    const Json result = must_add(job);
    kill_dhcp_daemons();
    std::filesystem::remove(kDhcpSocket);
    const Hindrance hindrance(each.make, each.mend);
    const Json unavailable = expect_error(job.status(), 50);
    EXPECT_THAT(text_of(unavailable, "msg"), HasSubstr(each.said));
    const Json unchecked = expect_error(job.check(result));
    EXPECT_THAT(unchecked["code"], ::testing::AnyOf(50, 11)) << "a lock may be free later";
    EXPECT_THAT(text_of(unchecked, "msg"), HasSubstr(each.said));
    const Output deleted = job.del(result);
    EXPECT_TRUE(deleted.ok()) << deleted.str();
    EXPECT_THAT(deleted.err, HasSubstr(" of net/c1/eth0 went back to 10.1.2.1"));
    EXPECT_THAT(deleted.err, HasSubstr(each.said));
    EXPECT_LT(deleted.ms, 4'000);
    ++released;
    EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == released; })) << dnsmasq.log();
    EXPECT_THAT(files_in(kLeases), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
    expect_silent_success(job.del(result));
  }
}

TEST_F(DhcpTrouble, WhateverKeepsTheDaemonFromStartingAGcTellsTheServersWithoutWaitingTwice) {
  const DhcpServer dnsmasq = server();
  int released = 0;
  for (const HindranceCase& each : kHindrances) {
    SCOPED_TRACE(each.what);
    std::vector<Attachment> jobs;
    for (int i = 0; i < 5; ++i) {
      jobs.push_back(attachment(config(), "c" + std::to_string(i)));
      must_add(jobs.back());
    }
    kill_dhcp_daemons();
    std::filesystem::remove(kDhcpSocket);
    const Hindrance hindrance(each.make, each.mend);
    const Output collected = jobs[0].gc(Json::array());
    EXPECT_TRUE(collected.ok()) << collected.str();
    EXPECT_LT(collected.ms, 4'000);
    released += 5;
    EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == released; })) << dnsmasq.log();
    EXPECT_THAT(files_in(kLeases), IsEmpty());
    containers_.clear();
  }
}

/// What the killed one announced is undone first, by a question for which none is started.
TEST_F(DhcpTrouble, AnAddAfterOneThatWasKilledWithTheDaemonStartsItAgain) {
  const Attachment job = attachment(config());
  {
    const Running waiting(job.spawn("ADD", job.config));
    ASSERT_TRUE(soon([] { return !dhcp_daemons().empty() && files_in(kJournals).size() == 1; }));
    ::kill(waiting.pid(), SIGKILL);
    ASSERT_TRUE(waiting.ends_within(std::chrono::seconds(5)));
    kill_dhcp_daemons();
  }
  const DhcpServer dnsmasq = server();
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

/// As /proc/PID/ns/net of a container's process, where another path keeps the namespace.
TEST_F(DhcpTrouble, ALeaseWhosePathEndsGoesBackByTheVerbsPath) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  int released = 0;
  for (const bool lives : {true, false}) {
    Attachment by_process = job;
    {
      const Inhabitant inhabitant(container_of(job));
      by_process.netns = inhabitant.path();
      must_add(by_process);
    }
    if (!lives) kill_dhcp_daemons();
    if (!lives) tool({"ln", "-sf", "dhcp.sock", kDhcpSocket});
    const Output deleted = job.del();
    EXPECT_TRUE(deleted.ok()) << deleted.str();
    ++released;
    EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == released; })) << dnsmasq.log();
    EXPECT_THAT(files_in(kLeases), IsEmpty());
  }
  std::filesystem::remove(kDhcpSocket);
}

TEST_F(DhcpTrouble, ADelThatFindsNoInterfaceSaysThatTheServerIsNotTold) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  must_add(job);
  container_of(job).run({"ip", "link", "del", "eth0"});
  const Output deleted = job.del();
  EXPECT_TRUE(deleted.ok()) << deleted.str();
  EXPECT_THAT(deleted.err, HasSubstr("the DHCP server is not told that 10.1.2."));
  EXPECT_THAT(deleted.err, HasSubstr("interface is gone"));
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

/// The plugin of the interface is somebody else's, so the interface outlives the GC.
TEST_F(DhcpTrouble, WhatAGcGaveBackUnderAHungDaemonDoesNotComeBackWithIt) {
  const DhcpServer dnsmasq = server();
  std::vector<Attachment> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(
        attachment(config(R"({"type": "dhcp", "master": null})"), "c" + std::to_string(i)));
    const Container& container = container_of(jobs.back());
    tool({"ip", "link", "add", "link", "up0", "name", "eth0", "netns", container.path(), "type",
          "macvlan"});
    container.run({"ip", "link", "set", "eth0", "up"});
    must_add(jobs.back());
  }
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  ::kill(dhcp_daemons()[0], SIGSTOP);
  const Output collected = jobs[0].gc(Json::array());
  EXPECT_TRUE(collected.ok()) << collected.str();
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") >= 3; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  ::kill(dhcp_daemons()[0], SIGCONT);
  expect_silent_success(jobs[0].status());
  EXPECT_EQ(tool({bin_dir() + "/dhcp", "leases"}).out, "");
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // it would make files again
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpTrouble, ADamagedFileOfALeaseIsNamedByAllWhoMissIt) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  std::filesystem::resize_file(file(), 100);
  EXPECT_THAT(text_of(expect_error(job.check(result)), "msg"), HasSubstr(file() + " is damaged"));
  const Output listed = run(Spawn{.argv = {bin_dir() + "/dhcp", "leases"}});
  EXPECT_EQ(listed.status, 1);
  EXPECT_THAT(listed.err, HasSubstr(file() + " is damaged"));
  const Output deleted = job.del(result);
  EXPECT_TRUE(deleted.ok()) << deleted.str();
  EXPECT_THAT(deleted.err,
              HasSubstr(file() + " is damaged: the address of net/c1/eth0 is not released"));
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpTrouble, AFolderInPlaceOfALeasesFileFailsNoDel) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_THAT(text_of(expect_error(job.check(result)), "msg"), HasSubstr(file() + " is damaged"));
  for (const char* time : {"first", "second"}) {
    const Output deleted = job.del(result);
    EXPECT_TRUE(deleted.ok()) << time << deleted.str();
    EXPECT_THAT(deleted.err, HasSubstr(file()));
  }
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  EXPECT_TRUE(job.gc(Json::array()).ok());
  std::filesystem::remove(file());
  must_add(job);
}

TEST_F(DhcpTrouble, WhateverIsInPlaceOfALeasesFileIsNamedByAllWhoMissIt) {
  const DhcpServer dnsmasq = server();
  const std::string folder = kLeases;
  const Attachment job = attachment(config());
  for (const std::string& put :
       {"ln -s /nowhere " + file(), "mkfifo " + file(), "rmdir " + folder + "; touch " + folder,
        "rmdir " + folder + "; mkfifo " + folder}) {
    SCOPED_TRACE(put);
    const Json result = must_add(job);
    kill_dhcp_daemons();
    std::filesystem::remove(file());
    tool({"sh", "-ec", put});
    EXPECT_THAT(text_of(expect_error(job.check(result)), "msg"), HasSubstr(file() + " is damaged"));
    const Output listed = run(Spawn{.argv = {bin_dir() + "/dhcp", "leases"}});
    EXPECT_EQ(listed.status, 1);
    EXPECT_THAT(listed.err, HasSubstr(folder));
    const Output deleted = job.del(result);
    EXPECT_TRUE(deleted.ok()) << deleted.str();
    EXPECT_THAT(deleted.err,
                HasSubstr(file() + " is damaged: the address of net/c1/eth0 is not released"));
    tool({"rm", "-rf", file()});
    if (!std::filesystem::is_directory(folder)) tool({"rm", folder});
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
  }
}

TEST_F(DhcpTrouble, ACopyOfALeasesFileIsNoLease) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  const std::string copy = std::string(kLeases) + "/copy";
  std::filesystem::copy_file(file(), copy);
  kill_dhcp_daemons();
  expect_silent_success(job.check(result));
  const Output listed = run(Spawn{.argv = {bin_dir() + "/dhcp", "leases"}});
  EXPECT_EQ(listed.status, 1);
  EXPECT_THAT(listed.err, HasSubstr(copy + " is damaged: it has the lease of net/c1/eth0"));
  EXPECT_EQ(listed.out.find("net/c1/eth0"), listed.out.rfind("net/c1/eth0")) << listed.out;
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), ElementsAre("copy"));
  std::filesystem::remove(copy);
}

TEST_F(DhcpTrouble, ADaemonThatAnAddWithMountsOfItsOwnStartedServesTheHost) {
  const DhcpServer dnsmasq = server();
  const Attachment first = attachment(config(), "c1");
  Spawn alone = first.spawn("ADD", first.config);
  alone.argv = {"/usr/bin/unshare", "-m", "--propagation", "private", bin_dir() + "/macvlan"};
  alone.program.clear();
  const Output output = run(alone);
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(dhcp_daemons(), IsEmpty()) << "it has other mounts";
  const Stranger daemon;
  const Attachment second = attachment(config(), "c2");  // its path is on the host alone
  const Json result = must_add(second);
  expect_silent_success(second.check(result));
  EXPECT_THAT(tool({bin_dir() + "/dhcp", "leases"}).out, Not(HasSubstr("mount namespace")));
  for (const Attachment& job : {first, second}) expect_silent_success(job.del());
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 2; })) << dnsmasq.log();
}

TEST_F(DhcpTrouble, ItsCommandsExplainThemselvesAndNameAnAbsentFolder) {
  const auto dhcp = [](std::vector<std::string> words) {
    words.insert(words.begin(), bin_dir() + "/dhcp");
    return run(Spawn{.argv = words});
  };
  for (const char* word : {"-help", "--help", "-h"}) {
    const Output help = dhcp({"daemon", word});
    EXPECT_TRUE(help.ok()) << help.str();
    EXPECT_THAT(help.out, HasSubstr("-socketpath PATH"));
  }
  expect_silent_success(dhcp({"leases"}));
  const Output absent = dhcp({"leases", "-folder", "/nonexist"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_THAT(absent.err, HasSubstr("no folder of leases /nonexist"));
}

}  // namespace
}  // namespace unicni::test::dhcp_trouble_test
