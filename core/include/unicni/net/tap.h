// Taps: Ethernet links whose other end is a program, such as a virtual machine's monitor.
// Documentation/networking/tuntap.rst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/netlink.h"
#include "unicni/net/netns.h"

namespace unicni::net {

struct TapSpec {
  std::string name;
  bool multi_queue = false;  ///< IFF_MULTI_QUEUE: a program may open several queues
  /// Who may attach to it without CAP_NET_ADMIN; nullopt: uid and gid aren't asked.
  std::optional<std::uint32_t> owner = {};
  std::optional<std::uint32_t> group = {};
  /// The label of the device and of what attaches to it; empty: the calling process's.
  std::string selinux_context = {};
};

/// Makes a persistent tap in `in`: frames without packet information (IFF_NO_PI) and without
/// virtio header, which a program asks for when it attaches. `back` is the calling thread's
/// namespace. Killed halfway it leaves nothing, as a tap goes with its last descriptor until it is
/// persistent. Throws Error; EBUSY: a tap of that name is there.
///
/// The kernel labels the device with the context of the task that creates it, and not with its
/// "sockcreate" context (selinux_tun_dev_alloc_security()), so with `selinux_context` a forked
/// child takes that context (/proc/thread-self/attr/current) and makes the tap. The policy must
/// allow process { setcurrent dyntransition }, and the context to open /dev/net/tun.
void add_tap(const TapSpec& spec, const Netns& in, const Netns& back);

/// Throws Error that says what to do unless taps can be made here.
void require_tun_device();
/// Whether the kernel runs SELinux.
bool has_selinux();

/// What the kernel says of a tap.
struct TapData {
  bool multi_queue = false;
  std::optional<std::uint32_t> owner;
  std::optional<std::uint32_t> group;
};
/// nullopt: there is no link of that name, or it is no tap ("tun" of ip-link(8) is the kind of taps
/// and of tuns). Linux 4.18.
std::optional<TapData> find_tap_data(Netlink&, const std::string& name);

}  // namespace unicni::net
