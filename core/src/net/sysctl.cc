#include "unicni/net/sysctl.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <string_view>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::net {
namespace {

/// Keys may come from a network configuration: nothing outside /proc/sys/net is reachable by one.
void require_below_net(const std::string& key) {
  const std::string fenced = '/' + key + '/';
  if (!key.starts_with("net/") || fenced.find("/../") != std::string::npos ||
      key.find('\0') != std::string::npos) {
    throw Error(Code::invalid_config, fmt::format("sysctl \"{}\" is not below net/", key),
                "write the key as in net/ipv4/conf/eth0/arp_ignore");
  }
}

/// Slashes, never dots: a name of a link may have dots of its own ("eth0.100").
std::string name_of(const std::string& key) { return "/proc/sys/" + key; }

/// A mount of procfs that nobody else looks into. In the one that all share the kernel remembers a
/// "net/ipv4" and a "net/ipv6" for each network namespace under one and the same hash value, and
/// asks them one by one whose they are (proc_sys_compare()), 1 us each: 1 ms an open among 1,000
/// containers, where this mount takes 0.08 with its end. None: before Linux 5.2; not allowed, as in
/// a user namespace; or somebody covered or locked /proc/sys, which then counts. Before Linux 5.8
/// it is the shared one.
sys::Fd mount_proc() {
  struct statfs shared {};
  if (::statfs("/proc/sys/net", &shared) != 0 || shared.f_type != PROC_SUPER_MAGIC ||
      (shared.f_flags & ST_RDONLY) != 0) {
    return {};
  }
  const sys::Fd context(::fsopen("proc", FSOPEN_CLOEXEC));
  if (!context || ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return {};
  }
  return sys::Fd(::fsmount(context.get(), FSMOUNT_CLOEXEC,
                           MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

/// With no descriptor errno tells why.
sys::Fd open_setting(const std::string& key, int flags, const Netns* young) {
  if (young != nullptr && young->is_one_of_many()) {
    const sys::Fd& proc = settings_beside(*young);
    if (proc) return sys::Fd(::openat(proc.get(), ("sys/" + key).c_str(), flags | O_CLOEXEC));
  }
  return sys::Fd(::open(name_of(key).c_str(), flags | O_CLOEXEC));
}

/// Runs of blanks and tabs as one blank, none at the ends: lists of numbers come with tabs.
std::string normalised(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (!blank) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

std::optional<std::string> read(const std::string& key, const Netns* young) {
  const sys::Fd file = open_setting(key, O_RDONLY, young);
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_error(errno, "open " + name_of(key));
  }
  std::string value;
  try {
    value = sys::read_rest(file, name_of(key));
  } catch (const Error&) {
    // The setting of a link that went since.
    if (!open_setting(key, O_RDONLY, young)) return std::nullopt;
    throw;
  }
  value.erase(value.find_last_not_of(" \t\n") + 1);
  return value;
}

/// The kernel takes a setting by one write(2): what comes in a second one is a second value.
void write(const std::string& key, const std::string& value, const Netns* young) {
  const sys::Fd file = open_setting(key, O_WRONLY | O_TRUNC, young);
  if (!file) throw system_error(errno, "open " + name_of(key));
  sys::write_once(file, name_of(key), value);
}

const Netns* young_of(const SysctlScope& scope) {
  return scope.in != nullptr ? scope.in : scope.young;
}

}  // namespace

const sys::Fd& settings_beside(const Netns& young) {
  if (!young.settings_) young.settings_ = mount_proc();
  return *young.settings_;
}

std::optional<std::string> find_sysctl(const std::string& key, const SysctlScope& scope) {
  require_below_net(key);
  if (scope.in == nullptr) return read(key, young_of(scope));
  std::optional<std::string> value;
  scope.in->run([&] { value = read(key, young_of(scope)); });
  return value;
}

bool same_sysctl_value(const std::string& a, const std::string& b) {
  return normalised(a) == normalised(b);
}

/// Writing may be refused although nothing has to change: /proc/sys is read-only in many
/// containers, and some settings belong to the initial namespace. A value that is right already is
/// no error.
bool set_sysctl(const std::string& key, const std::string& value, const Netns* young) {
  require_below_net(key);
  try {
    write(key, value, young);
    return true;
  } catch (const Error&) {
    const auto present = read(key, young);
    if (!present) return false;
    if (normalised(*present) == normalised(value)) return true;
    throw;
  }
}

/// Reads before it writes: where /proc/sys is read-only, a value that is right already will do.
bool ensure_sysctl(const std::string& key, const std::string& value, const SysctlScope& scope) {
  require_below_net(key);
  bool exists = false;
  const auto work = [&] {
    const auto old = read(key, young_of(scope));
    exists = old.has_value();
    if (exists && normalised(*old) != normalised(value)) write(key, value, young_of(scope));
  };
  if (scope.in == nullptr) {
    work();
  } else {
    scope.in->run(work);
  }
  return exists;
}

void switch_ipv6_off(const std::string& link, const Netns* young) {
  set_sysctl("net/ipv6/conf/" + link + "/disable_ipv6", "1", young);
}

/// Hosts may switch IPv6 off for new links (conf/default/disable_ipv6), and the kernel then refuses
/// IPv6 addresses on them.
void ensure_ipv6(const std::string& link, const Netns* young) {
  ensure_sysctl("net/ipv6/conf/" + link + "/disable_ipv6", "0", {.young = young});
}

}  // namespace unicni::net
