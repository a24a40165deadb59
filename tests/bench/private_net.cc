#include "private_net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

namespace unicni::bench {
namespace {

void must(bool done, const std::string& what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

/// Namespaces belong to threads: what `work` changes of its own ends with it. Rethrows what it
/// throws.
template <class Work>
void in_own_thread(Work work) {
  std::exception_ptr error;
  std::thread([&] {
    try {
      work();
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
}

bool has_default_route(const std::string& link) {
  std::ifstream routes("/proc/thread-self/net/route");
  for (std::string line; std::getline(routes, line);) {
    std::istringstream fields(line);
    std::string name;
    std::string destination;
    if (fields >> name >> destination && name == link && destination == "00000000") return true;
  }
  return false;
}

}  // namespace

void enter_private_host() {
  must(::unshare(CLONE_NEWNET | CLONE_NEWNS) == 0, "unshare (needs root)");
  must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
  must(::mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0, "mount a tmpfs on /run");
}

void make_bridge(const std::string& name, const std::string& address) {
  const int control = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  must(control >= 0, "socket");
  must(::ioctl(control, SIOCBRADDBR, name.c_str()) == 0, "make bridge " + name);
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), sizeof request.ifr_name - 1);
  const auto set = [&](unsigned long what, const char* text) {
    sockaddr_in value{};
    value.sin_family = AF_INET;
    ::inet_pton(AF_INET, text, &value.sin_addr);
    std::memcpy(&request.ifr_addr, &value, sizeof value);
    must(::ioctl(control, what, &request) == 0, "configure bridge " + name);
  };
  set(SIOCSIFADDR, address.c_str());
  set(SIOCSIFNETMASK, "255.255.0.0");
  request.ifr_flags = IFF_UP;
  must(::ioctl(control, SIOCSIFFLAGS, &request) == 0, "bring up bridge " + name);
  ::close(control);
}

ContainerNet::ContainerNet(std::string path) : path_(std::move(path)) {
  const int file = ::open(path_.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  must(file >= 0, path_);
  ::close(file);
  in_own_thread([&] {
    must(::unshare(CLONE_NEWNET) == 0, "unshare");
    must(::mount("/proc/thread-self/ns/net", path_.c_str(), nullptr, MS_BIND, nullptr) == 0, path_);
  });
}

ContainerNet::State ContainerNet::link_state(const std::string& name) const {
  State state;
  in_own_thread([&] {
    const int netns = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    must(netns >= 0, path_);
    const bool entered = ::setns(netns, CLONE_NEWNET) == 0;
    ::close(netns);
    must(entered, "setns " + path_);
    ifaddrs* list = nullptr;
    must(::getifaddrs(&list) == 0, "getifaddrs");
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
      if (name != entry->ifa_name) continue;
      state.exists = true;
      if ((entry->ifa_flags & IFF_UP) != 0) state.up = true;
      if (entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET)
        state.has_address = true;
    }
    ::freeifaddrs(list);
    state.has_default_route = has_default_route(name);
  });
  return state;
}

HostNet::Inside::Inside(const std::string& path)
    : before_(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
  must(before_ >= 0, "/proc/self/ns/net");
  const int netns = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool entered = netns >= 0 && ::setns(netns, CLONE_NEWNET) == 0;
  const int error = errno;
  if (netns >= 0) ::close(netns);
  if (entered) return;
  ::close(before_);
  throw std::system_error(error, std::generic_category(), "enter " + path);
}

HostNet::Inside::~Inside() {
  // What follows would be measured on the wrong host.
  if (::setns(before_, CLONE_NEWNET) != 0) std::terminate();
  ::close(before_);
}

}  // namespace unicni::bench
