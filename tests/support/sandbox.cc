#include "support/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace unicni::test {

namespace {

constexpr const char* kOwnNetns = "/proc/thread-self/ns/net";

void require(bool done, const std::string& what) {
  if (!done) throw std::runtime_error(what + ": " + std::strerror(errno));
}

int open_namespace(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  require(fd >= 0, std::string("open ") + path);
  return fd;
}

void mount_tmpfs(const char* path) {
  require(::mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0,
          std::string("mount tmpfs on ") + path);
}

/// What a young namespace has it takes from the machine (net.core.devconf_inherit_init_net), where
/// a node forwards, filters or has no IPv6. The tests start from the kernel's own values.
void set_kernel_defaults() {
  constexpr std::pair<const char*, const char*> kDefaults[] = {
      {"ipv4/ip_forward", "0"},  // before the others: it changes some of them
      {"ipv4/conf/*/rp_filter", "0"},
      {"ipv4/conf/*/route_localnet", "0"},
      {"ipv4/conf/*/arp_notify", "0"},
      {"ipv4/conf/*/proxy_arp", "0"},
      {"ipv4/conf/*/promote_secondaries", "0"},
      {"ipv4/conf/*/accept_local", "0"},
      {"ipv6/conf/all/forwarding", "0"},
      {"ipv6/conf/*/disable_ipv6", "0"},
      {"ipv6/conf/*/accept_ra", "1"},
      {"ipv6/conf/all/accept_dad", "0"},
      {"ipv6/conf/default/accept_dad", "1"},
      {"ipv6/conf/*/keep_addr_on_down", "0"},
      {"ipv6/conf/*/ndisc_notify", "0"},
  };
  for (const auto& [key, value] : kDefaults) {
    const std::string path = std::string("/proc/sys/net/") + key;
    const std::size_t star = path.find('*');
    if (star == path.npos) {
      std::ofstream(path) << value;  // a kernel without IPv6 has none of it
      continue;
    }
    for (const char* link : {"all", "default"}) {
      std::ofstream(std::string(path).replace(star, 1, link)) << value;
    }
  }
}

}  // namespace

void enter_private_host() {
  require(::unshare(CLONE_NEWNET | CLONE_NEWNS) == 0, "unshare");
  require(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make / private");
  mount_tmpfs("/run");
  // /var/lib as a whole: the machine may have no /var/lib/cni to mount on, and no test needs the
  // rest.
  mount_tmpfs("/var/lib");
  require(::mkdir("/var/lib/cni", 0755) == 0, "mkdir /var/lib/cni");
  require(::mkdir("/run/netns", 0755) == 0, "mkdir /run/netns");
  set_kernel_defaults();
  tool({"ip", "link", "set", "lo", "up"});
}

Inhabitant::Inhabitant(const Container& container)
    : process_(Spawn{.argv = {"sleep", "600"}, .netns = container.fd()}) {
  const auto is_there = [&] {
    std::error_code error;
    return std::filesystem::equivalent(path(), container.path(), error);
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!is_there() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(is_there()) << "the process is in the container";
}

std::string Inhabitant::path() const {
  return "/proc/" + std::to_string(process_.pid()) + "/ns/net";
}

Sandbox::Sandbox() : folder_(std::filesystem::current_path()) {
  outer_netns_ = open_namespace(kOwnNetns);
  outer_mounts_ = open_namespace("/proc/thread-self/ns/mnt");
  enter_private_host();
  netns_ = open_namespace(kOwnNetns);
}

Sandbox::~Sandbox() {
  ::close(netns_);
  // A thread that was made meanwhile, as by the thread sanitizer, shares our root folder, which
  // keeps a thread in its mount namespace (setns(2)).
  const bool back = ::setns(outer_netns_, CLONE_NEWNET) == 0 && ::unshare(CLONE_FS) == 0 &&
                    ::setns(outer_mounts_, CLONE_NEWNS) == 0 && ::chdir(folder_.c_str()) == 0;
  if (!back) {
    std::perror("sandbox: no way back to the machine's namespaces");
    std::abort();  // the next test must not run on this host
  }
  ::close(outer_netns_);
  ::close(outer_mounts_);
}

void Sandbox::on_another_host(const std::function<void()>& work) {
  require(::unshare(CLONE_NEWNET) == 0, "unshare");
  set_kernel_defaults();
  work();
  require(::setns(netns_, CLONE_NEWNET) == 0, "setns");
}

Container::Container(const std::string& name) : name_(name), path_("/run/netns/" + name) {
  write_file(path_, "");
  const int host = open_namespace(kOwnNetns);
  require(::unshare(CLONE_NEWNET) == 0, "unshare");
  set_kernel_defaults();
  const bool mounted = ::mount(kOwnNetns, path_.c_str(), nullptr, MS_BIND, nullptr) == 0;
  fd_ = open_namespace(kOwnNetns);
  require(::setns(host, CLONE_NEWNET) == 0, "setns");
  ::close(host);
  require(mounted, "mount " + path_);
}

Container::Container(Container&& other) noexcept
    : name_(std::move(other.name_)),
      path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)) {}

Container::~Container() {
  if (fd_ >= 0) remove();
}

void Container::remove() {
  ::umount2(path_.c_str(), MNT_DETACH);
  ::unlink(path_.c_str());
  ::close(std::exchange(fd_, -1));
}

void in_child(const std::function<void()>& work) {
  std::cout.flush();
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      work();
    } catch (const std::exception& error) {
      std::cout << "child: " << error.what() << std::endl;
      ::_exit(2);
    }
    std::cout.flush();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int state = 0;
  ::waitpid(pid, &state, 0);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0) << "the child's part failed, see above";
}

void Sandbox::keep_etc() {
  tool({"mkdir", "/run/etc-new", "/run/etc-work"});
  tool({"mount", "-t", "overlay", "-o", "lowerdir=/etc,upperdir=/run/etc-new,workdir=/run/etc-work",
        "etc", "/etc"});
}

void write_file(const std::string& path, const std::string& text, unsigned mode) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  require(::chmod(path.c_str(), mode) == 0, "write " + path);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace unicni::test
