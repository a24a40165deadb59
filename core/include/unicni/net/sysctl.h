// Settings below /proc/sys/net of a namespace.
#pragma once

#include <optional>
#include <string>

#include "unicni/net/netns.h"

namespace unicni::net {

/// Where a setting is, and what is known of how many namespaces there are. Among many the procfs
/// that all share finds a namespace's settings slowly (1 ms among 1,000), so that a mount that
/// nobody else looks into pays; a young namespace, such as a container's, tells and keeps it.
struct SysctlScope {
  const Netns* in = nullptr;     ///< nullptr: the calling thread's
  const Netns* young = nullptr;  ///< `in` if there is one; nullptr: nothing is known
};

/// `key` is the path below /proc/sys, with slashes ("net/ipv4/ip_forward",
/// "net/ipv6/conf/eth0/accept_ra"): names of links may hold dots. Read and written in the calling
/// thread's namespace, or in the one of `scope`. nullopt: the setting doesn't exist (no IPv6, link
/// gone).
std::optional<std::string> find_sysctl(const std::string& key, const SysctlScope& scope = {});
/// Equal but for blanks: the kernel separates lists of numbers by tabs.
bool same_sysctl_value(const std::string& a, const std::string& b);
/// Writes without asking what is there: for the settings of a link just made. `young` as in
/// SysctlScope. False and Error as
/// ensure_sysctl(); where it can't be written the right value is fine, too.
bool set_sysctl(const std::string& key, const std::string& value, const Netns* young = nullptr);
/// Writes only if the value differs (a read-only /proc with the right value is fine). False: the
/// setting doesn't exist. Throws Error.
bool ensure_sysctl(const std::string& key, const std::string& value, const SysctlScope& scope = {});

/// The mount of procfs that `young` keeps, made when it is first asked for; no descriptor where
/// that can't be.
const sys::Fd& settings_beside(const Netns& young);

/// disable_ipv6 of a link of the calling thread's namespace that only hands frames on, such as a
/// bridge's port or an ifb. With IPv6 it would get a link-local address and three routes; the
/// kernel walks all routes of a host whenever a link goes up or down (fib6_clean_all()), so each
/// attachment would make the next one slower. Before the link is UP: while others, such as the
/// kernel's worker for links that went up, hold the RTNL lock, the write spins (rtnl_trylock()).
/// Throws Error.
void switch_ipv6_off(const std::string& link, const Netns* young);
/// For a link of the calling thread's namespace that gets an IPv6 address, on a host that has IPv6
/// switched off for new ones. Throws Error.
void ensure_ipv6(const std::string& link, const Netns* young);

}  // namespace unicni::net
