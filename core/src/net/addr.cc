#include "unicni/net/addr.h"

#include <fmt/core.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

std::vector<int> tolerate(bool wanted, std::vector<int> errno_values) {
  return wanted ? std::move(errno_values) : std::vector<int>{};
}

/// IFA_ADDRESS is the peer's on a point-to-point link. On all others it equals IFA_LOCAL, and the
/// kernel compares both when an address is removed.
void put_addr(nl_msg* message, int index, const IpNet& net) {
  auto& header = put_header<ifaddrmsg>(message);
  header.ifa_family = net.is_v4() ? AF_INET : AF_INET6;
  header.ifa_prefixlen = static_cast<std::uint8_t>(net.prefix_length());
  header.ifa_scope = RT_SCOPE_UNIVERSE;
  header.ifa_index = static_cast<std::uint32_t>(index);
  put_address(message, IFA_LOCAL, net.address());
  put_address(message, IFA_ADDRESS, net.address());
}

}  // namespace

void add_addr(Batch& batch, const LinkRef& link, const IpNet& net, Dad dad, bool exists_ok) {
  nl_msg* message = batch.add(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
                              fmt::format("add address {} to {}", net.str(), link.name),
                              tolerate(exists_ok, {EEXIST}));
  put_addr(message, link.index, net);
  // By netlink the kernel adds no broadcast address itself.
  if (net.is_v4() && net.prefix_length() < 31) put_address(message, IFA_BROADCAST, net.last());
  // Without this flag the address is tentative for a second or more, and nothing can be bound to it
  // or sent from it.
  if (!net.is_v4() && dad == Dad::skip) put_u32(message, IFA_FLAGS, IFA_F_NODAD);
}

void add_addr(Batch& batch, const LinkRef& link, const IpNet& net, const IpAddress& broadcast) {
  nl_msg* message = batch.add(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
                              fmt::format("add address {} to {}", net.str(), link.name), {EEXIST});
  put_addr(message, link.index, net);
  put_address(message, IFA_BROADCAST, broadcast);
}

void remove_addr(Batch& batch, const LinkRef& link, const IpNet& net, bool absent_ok) {
  nl_msg* message =
      batch.add(RTM_DELADDR, 0, fmt::format("remove address {} from {}", net.str(), link.name),
                tolerate(absent_ok, {EADDRNOTAVAIL, ENODEV}));
  put_addr(message, link.index, net);
}

namespace {

constexpr int kAllLinks = 0;
constexpr int kLoopback = 1;  // LOOPBACK_IFINDEX of linux/net.h, in every namespace

/// `each(header, net, flags)` for the addresses of one link, or of all; false: it is gone.
template <class Each>
bool for_each_addr(Netlink& netlink, int index, const Each& each) {
  SingleRequest request(RTM_GETADDR, NLM_F_DUMP);
  put_header<ifaddrmsg>(request).ifa_index = static_cast<std::uint32_t>(index);

  const int error = netlink.ask(request, [&](const nlmsghdr* message) {
    const auto& header = family_header<ifaddrmsg>(message);
    if (header.ifa_family != AF_INET && header.ifa_family != AF_INET6) return;
    IpAddress local;
    IpAddress address;
    bool has_local = false;
    std::uint32_t flags = header.ifa_flags;
    for_each_attribute(message, sizeof header, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == IFA_LOCAL) {
        local = address_of(attribute);
        has_local = true;
      } else if (type == IFA_ADDRESS) {
        address = address_of(attribute);  // the peer's where there is an IFA_LOCAL
      } else if (type == IFA_FLAGS) {
        flags = value_of<std::uint32_t>(attribute);
      }
    });
    each(header, IpNet(has_local ? local : address, header.ifa_prefixlen), flags);
  });
  if (error == ENODEV) return false;
  if (error != 0) throw system_error(error, fmt::format("list addresses of link {}", index));
  return true;
}

}  // namespace

/// The kernel replaces the flags along with the times.
bool set_preferred_time(Netlink& netlink, const LinkRef& link, const IpNet& net,
                        std::optional<std::chrono::seconds> left) {
  constexpr std::uint32_t kForEver = 0xffffffff;
  constexpr std::uint32_t kSettable =
      IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE;
  std::optional<std::uint32_t> found;
  for_each_addr(netlink, link.index, [&](const ifaddrmsg&, const IpNet& each, std::uint32_t flags) {
    if (each == net) found = flags;
  });
  if (!found) return false;
  ifa_cacheinfo times{};
  times.ifa_valid = kForEver;
  times.ifa_prefered =
      left ? static_cast<std::uint32_t>(std::clamp<std::int64_t>(left->count(), 0, kForEver - 1))
           : kForEver;
  Batch batch(netlink);
  nl_msg* message =
      batch.add(RTM_NEWADDR, NLM_F_REPLACE,
                fmt::format("set the preferred time of {} on {}", net.str(), link.name), {});
  put_addr(message, link.index, net);
  put_u32(message, IFA_FLAGS, *found & kSettable);
  put_bytes(message, IFA_CACHEINFO, sizeof times, &times);
  batch.commit();
  return true;
}

/// The modified EUI-64 of RFC 4291, appendix A, which the kernel makes by default when the link
/// gets its carrier. Adding it early spares the wait for that.
IpNet link_local(const Mac& mac) {
  constexpr std::uint8_t kUniversal = 2;  // the bit is inverted
  const auto& m = mac.bytes();
  return {IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ kUniversal),
                         m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}),
          64};
}

void put_link_local(Batch& batch, const LinkRef& link, const Mac& mac,
                    const std::vector<IpConfig>& ips) {
  const bool used =
      std::any_of(ips.begin(), ips.end(), [](const auto& ip) { return !ip.address.is_v4(); });
  if (used) add_addr(batch, link, link_local(mac), Dad::skip, true);
}

/// The kernel makes none that is tentative ready at a word: it is removed and added again in one
/// batch, in which nobody else can be without it.
IpNet ready_link_local(Netlink& netlink, const LinkRef& link, const IpNet& otherwise) {
  std::optional<IpNet> tentative;
  std::optional<IpNet> ready;
  const auto note = [&](const ifaddrmsg&, const IpNet& net, std::uint32_t flags) {
    if (net.is_v4() || !net.address().is_link_local()) return;
    ((flags & IFA_F_TENTATIVE) != 0 ? tentative : ready) = net;
  };
  if (!for_each_addr(netlink, link.index, note)) {
    throw system_error(ENODEV, "look for the link-local address of " + link.name);
  }
  if (ready) return *ready;
  const IpNet own = tentative.value_or(otherwise);
  Batch batch(netlink);
  if (tentative) remove_addr(batch, link, own, true);
  add_addr(batch, link, own, Dad::skip, true);
  batch.commit();
  return own;
}

/// IPv4 first, and within a family as the kernel has them: the first IPv4 address is the one that
/// packets get as source.
std::vector<IpNet> list_addrs(Netlink& netlink, int index) {
  std::vector<IpNet> v4;
  std::vector<IpNet> v6;
  for_each_addr(netlink, index, [&](const ifaddrmsg& header, const IpNet& net, std::uint32_t) {
    (header.ifa_family == AF_INET ? v4 : v6).push_back(net);
  });
  v4.insert(v4.end(), v6.begin(), v6.end());
  return v4;
}

std::vector<LinkAddr> list_link_addrs(Netlink& netlink) {
  std::vector<LinkAddr> all;
  for_each_addr(netlink, kAllLinks, [&](const ifaddrmsg& header, const IpNet& net, std::uint32_t) {
    const auto index = static_cast<int>(header.ifa_index);
    if (index != kLoopback) all.push_back({index, net});
  });
  return all;
}

DadState get_dad_state(Netlink& netlink, int index) {
  DadState state;
  // A duplicate stays tentative for ever, so the failure is looked at first.
  const auto note = [&](const ifaddrmsg&, const IpNet& net, std::uint32_t flags) {
    if ((flags & IFA_F_DADFAILED) != 0) {
      state.failed = net;
    } else if ((flags & IFA_F_TENTATIVE) != 0) {
      state.running = true;
    }
  };
  if (for_each_addr(netlink, index, note)) return state;
  throw system_error(ENODEV, fmt::format("list addresses of link {}", index));
}

}  // namespace unicni::net
