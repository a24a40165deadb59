#include "unicni/net/tap.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/forked_child.h"
#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::net {
namespace {

constexpr const char* kDevice = "/dev/net/tun";
constexpr const char* kOwnContext = "/proc/thread-self/attr/current";

enum class Step : int { done, open, create, rename, owner, group, persist, fork, context };

/// How far it came, in a form that fits through a pipe.
struct Outcome {
  Step step = Step::done;
  int error = 0;
};

Error no_device(int error) {
  Error refusal = system_error(error, fmt::format("open {}", kDevice));
  if (error == EPERM || error == EACCES) {
    return refusal.advise("CNI plugins must be allowed to use the device 10:200 (cgroup, user)");
  }
  return refusal.advise(
      "modprobe tun; if the node is missing: mkdir -p /dev/net && mknod /dev/net/tun c 10 200");
}

/// In the calling thread's namespace. Only system calls: a forked child runs it, too.
Outcome make(const TapSpec& spec) noexcept {
  const sys::Fd device(::open(kDevice, O_RDWR | O_CLOEXEC));
  if (!device) return {Step::open, errno};
  ifreq request{};
  std::memcpy(request.ifr_name, spec.name.data(), std::min(spec.name.size(), IFNAMSIZ - 1UL));
  // EXCL: not the one that is there.
  int flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL;
  if (spec.multi_queue) flags |= IFF_MULTI_QUEUE;
  request.ifr_flags = static_cast<short>(flags);
  if (::ioctl(device.get(), TUNSETIFF, &request) != 0) return {Step::create, errno};
  // A name with '%' is a pattern for the kernel.
  if (spec.name != request.ifr_name) return {Step::rename, EINVAL};
  const auto set = [&](unsigned long what, std::uint32_t value) {
    return ::ioctl(device.get(), what, static_cast<unsigned long>(value)) == 0;
  };
  if (spec.owner && !set(TUNSETOWNER, *spec.owner)) return {Step::owner, errno};
  if (spec.group && !set(TUNSETGROUP, *spec.group)) return {Step::group, errno};
  if (!set(TUNSETPERSIST, 1)) return {Step::persist, errno};
  return {};
}

/// Of the thread. The write is refused if the policy doesn't allow the change.
bool take_context(const std::string& context) noexcept {
  const sys::Fd attribute(::open(kOwnContext, O_WRONLY | O_CLOEXEC));
  return attribute && ::write(attribute.get(), context.c_str(), context.size() + 1) >= 0;
}

/// make() by a child, as nobody comes back from a context, and only a process with one thread may
/// take one.
Outcome make_in_context(const TapSpec& spec) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {Step::fork, errno};
  const sys::Fd in(ends[0]);
  sys::Fd out(ends[1]);
  const pid_t child = sys::fork_unheard([&] {
    Outcome outcome{Step::context, 0};
    if (take_context(spec.selinux_context)) {
      outcome = make(spec);
    } else {
      outcome.error = errno;
    }
    return ::write(out.get(), &outcome, sizeof outcome) == sizeof outcome ? 0 : 1;
  });
  if (child < 0) return {Step::fork, errno};
  out.reset();
  Outcome outcome;
  ssize_t size = 0;
  do {
    size = ::read(in.get(), &outcome, sizeof outcome);
  } while (size < 0 && errno == EINTR);
  (void)sys::wait_for_child(child);
  return size == sizeof outcome ? outcome : Outcome{Step::fork, EIO};
}

/// Made by the parent, as the child may only use system calls and can't throw.
[[noreturn]] void fail(const TapSpec& spec, const std::string& where, const Outcome& outcome) {
  const std::string tap = fmt::format("tap {} in {}", spec.name, where);
  switch (outcome.step) {
    case Step::open:
      throw no_device(outcome.error);
    case Step::context:
      throw system_error(outcome.error,
                         fmt::format("take the SELinux context {}", spec.selinux_context))
          .advise("the policy must know it, and allow process { setcurrent dyntransition } to it");
    case Step::rename:
      throw Error(Code::invalid_config,
                  fmt::format("create {}: the kernel takes the name for a pattern", tap),
                  "choose a CNI_IFNAME without '%'");
    case Step::owner:
      throw system_error(outcome.error, fmt::format("make uid {} owner of {}", *spec.owner, tap));
    case Step::group:
      throw system_error(outcome.error, fmt::format("make gid {} group of {}", *spec.group, tap));
    case Step::fork:
      throw system_error(outcome.error, fmt::format("start a process that creates {}", tap));
    case Step::persist:
      throw system_error(outcome.error, fmt::format("make {} persistent", tap));
    default:
      throw system_error(outcome.error, "create " + tap);
  }
}

}  // namespace

void add_tap(const TapSpec& spec, const Netns& in, const Netns& back) {
  Outcome outcome;
  in.run([&] { outcome = spec.selinux_context.empty() ? make(spec) : make_in_context(spec); },
         back);
  if (outcome.step != Step::done) fail(spec, in.path(), outcome);
}

void require_tun_device() {
  const sys::Fd device(::open(kDevice, O_RDWR | O_CLOEXEC));
  if (!device) throw no_device(errno);
}

/// The kernel lists the file system only if SELinux runs.
bool has_selinux() {
  const auto filesystems = sys::read_file("/proc/filesystems");
  return filesystems && filesystems->find("selinuxfs") != std::string::npos;
}

/// Links of kind "tun" are taps or layer 3 tunnels; only the data tells which.
std::optional<TapData> find_tap_data(Netlink& netlink, const std::string& name) {
  SingleRequest request(RTM_GETLINK);
  put_header<ifinfomsg>(request);
  put_name(request, IFLA_IFNAME, name);
  put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  std::optional<TapData> found;
  const auto parse_data = [&found](const nlattr* data) {
    TapData tap;
    bool is_tap = false;
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* each) {
      if (type == IFLA_TUN_TYPE) is_tap = value_of<std::uint8_t>(each) == IFF_TAP;
      if (type == IFLA_TUN_OWNER) tap.owner = value_of<std::uint32_t>(each);
      if (type == IFLA_TUN_GROUP) tap.group = value_of<std::uint32_t>(each);
      if (type == IFLA_TUN_MULTI_QUEUE) tap.multi_queue = value_of<std::uint8_t>(each) != 0;
    });
    if (is_tap) found = tap;
  };
  const auto parse_info = [&](const nlattr* info) {
    std::string kind;
    for_each_attribute(info, [&](std::uint16_t type, const nlattr* each) {
      if (type == IFLA_INFO_KIND) kind = text_of(each);
      // The kernel puts the kind first.
      if (type == IFLA_INFO_DATA && kind == "tun") parse_data(each);
    });
  };
  const int error = netlink.ask(request, [&](const nlmsghdr* message) {
    for_each_attribute(message, sizeof(ifinfomsg), [&](std::uint16_t type, const nlattr* each) {
      if (type == IFLA_LINKINFO) parse_info(each);
    });
  });
  if (error != 0 && error != ENODEV) throw system_error(error, "look up link " + name);
  return found;
}

}  // namespace unicni::net
