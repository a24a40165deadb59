#include "place.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/in_namespace_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::dhcp::place_test {
namespace {

using testing::StartsWith;

/// A process with mounts of its own, where its network namespace has the path `path`, which is no
/// namespace elsewhere.
class Hermit {
 public:
  explicit Hermit(const std::string& path) {
    int ready[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    EXPECT_GE(::close(::open(path.c_str(), O_CREAT | O_CLOEXEC, 0600)), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const bool done =
          ::unshare(CLONE_NEWNS) == 0 &&
          ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
          ::mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) == 0;
      if (done && ::write(ready[1], "y", 1) == 1) ::pause();
      ::_exit(1);
    }
    ::close(ready[1]);
    char told = 'n';
    EXPECT_EQ(::read(ready[0], &told, 1), 1);
    ::close(ready[0]);
  }
  ~Hermit() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Hermit(const Hermit&) = delete;
  Hermit& operator=(const Hermit&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

std::string way_to(const Place& place) {
  const auto found = find_place("", place, Mac());
  return found ? found->netns.path() : "none";
}

TEST(FindPlace, APathOfAnotherMountNamespaceIsFoundThroughWhoLivesThere) {
  const TempFolder temp;
  in_namespace(CLONE_NEWNET, [&] {
    Place place{temp / "netns", net::Netlink(net::Netns::current()).identity(), "lo", 1};
    {
      const Hermit hermit(temp / "netns");
      const std::string process = "/proc/" + std::to_string(hermit.pid()) + "/ns/net";
      EXPECT_EQ(way_to(place), process) << "it isn't known where to look";
      place.view = view_of(hermit.pid());
      EXPECT_NE(place.view, view_of(0));
      EXPECT_THAT(way_to(place), StartsWith("/proc/thread-self/fd/"));
      place.view = "mnt:[1]";
      EXPECT_EQ(way_to(place), process) << "nobody lives there any more, but in the container";
      place.netns = "cookie:0";
      EXPECT_EQ(way_to(place), "none");
    }
    place.netns = net::Netlink(net::Netns::current()).identity();
    EXPECT_EQ(way_to(place), "none") << "nobody leads there";
    place.netns_path = "/proc/thread-self/ns/net";
    EXPECT_EQ(way_to(place), place.netns_path);
  });
}

/// As the path of a process does that has ended.
TEST(FindPlace, WhereThePathLeadsNowhereItsMountsAndAVerbsDescriptorShowTheWay) {
  const TempFolder temp;
  const std::string mount = temp / "a b";
  ASSERT_GE(::close(::open(mount.c_str(), O_CREAT | O_CLOEXEC, 0600)), 0);
  in_namespace(CLONE_NEWNET | CLONE_NEWNS, [&] {
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    const net::Netns netns = net::Netns::current();
    Place place{"/proc/1999999999/ns/net", net::Netlink(netns).identity(), "lo", 1};
    EXPECT_EQ(way_to(place), "none");
    ASSERT_EQ(::mount("/proc/thread-self/ns/net", mount.c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(way_to(place), mount);
    ASSERT_EQ(::umount(mount.c_str()), 0);
    EXPECT_EQ(way_to(place), "none");
    place.given = netns.fd();
    EXPECT_THAT(way_to(place), StartsWith("/proc/thread-self/fd/"));
  });
}

// With the thread sanitizer each process has a second thread, and can have no user namespace of its
// own: unshare(2).
#ifndef __SANITIZE_THREAD__

/// From a network namespace of its own at that of `beside`, a process of the host's network. What
/// went wrong; "": nothing.
std::string look_beside(pid_t beside) {
  if (::unshare(CLONE_NEWNET) != 0) return "unshare of the network namespace";
  const std::string of_host = "/proc/" + std::to_string(beside) + "/ns/net";
  try {
    const net::Netlink entered(net::Netns::open(of_host).value());
    return of_host + " can be entered";
  } catch (const Error& error) {
    if (!error.is(Code::invalid_netns)) return error.msg();
  }
  try {
    return way_to({"/proc/1999999999/ns/net", "cookie:0", "lo", 1}) == "none" ? "" : "found";
  } catch (const Error& error) {
    return "the whole search ended: " + error.msg();
  }
}

/// The same in a user namespace of its own.
std::string look_from_another_user_namespace() {
  if (::unshare(CLONE_NEWUSER) != 0) return "unshare of the user namespace";
  ::prctl(PR_SET_DUMPABLE, 1);  // else nobody but root of the host sees its namespaces
  const pid_t beside = ::fork();
  if (beside == 0) {
    ::pause();
    ::_exit(0);
  }
  const std::string wrong = look_beside(beside);
  ::kill(beside, SIGKILL);  // it would hold ctest's pipe
  ::waitpid(beside, nullptr, 0);
  return wrong;
}

/// As a rootless Podman has it.
TEST(FindPlace, ANamespaceThatMayNotBeEnteredIsAnother) {
  const TempFolder temp;
  const std::string told = temp / "told";
  sys::write_file_atomically(told, "nothing", 0666);
  const sys::Fd file(::open(told.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string text = look_from_another_user_namespace() + '.';
    ::_exit(::write(file.get(), text.data(), text.size()) > 0 ? 0 : 1);
  }
  ::waitpid(pid, nullptr, 0);
  EXPECT_EQ(sys::read_file(told), ".");
}

#endif

}  // namespace
}  // namespace unicni::dhcp::place_test
