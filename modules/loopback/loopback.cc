// loopback: the container's lo goes up on ADD and down on DEL. CNI_IFNAME does not count.
#include <fmt/core.h>

#include <string>

#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/net/addr.h"
#include "unicni/net/link.h"

namespace unicni {
namespace {

constexpr const char* kLo = "lo";

// Not journaled: a second ADD finds it done, and lo ends with its namespace.
void set_lo(net::Netlink& links, const net::Link& lo, bool up) {
  if (lo.up == up) return;
  net::Batch batch(links);
  net::LinkChange change;
  change.up = up;
  net::change_link(batch, {lo.index, kLo}, change);
  batch.commit();
}

/// What ADD of the reference reports: the first address of each family.
Result describe(const std::string& sandbox, const std::vector<IpNet>& addresses) {
  Result result;
  Interface& lo = result.interfaces.emplace_back();
  lo.name = kLo;
  lo.mac = Mac().str();
  lo.sandbox = sandbox;
  for (const Family family : {Family::v4, Family::v6}) {
    for (const IpNet& address : addresses) {
      if (address.family() != family) continue;
      result.ips.push_back({address, {}, 0, {}});
      break;
    }
  }
  return result;
}

class LoopbackModule : public Module {
 public:
  Result add(const Call& call, Host& host) override {
    net::Netlink& links = host.container_links();
    const net::Link lo = net::get_link(links, kLo);
    set_lo(links, lo, true);  // first: the kernel gives lo its addresses when it goes up
    const std::vector<IpNet> addresses = net::list_addrs(links, lo.index);
    for (const IpNet& address : addresses) {
      if (address.address().is_loopback()) continue;
      if (!lo.up) set_lo(links, net::get_link(links, kLo), false);
      throw Error(Code::internal,
                  fmt::format("loopback interface {} in {} found with non-loopback address \"{}\"",
                              kLo, call.netns, address.str()),
                  "remove the address: lo may have addresses of 127.0.0.0/8 and ::1 only");
    }
    return call.prev_result ? *call.prev_result : describe(call.netns, addresses);
  }

  void del(const Call&, Host& host) override {
    if (host.container_netns() == nullptr) return;
    net::Netlink& links = host.container_links();
    if (const auto lo = net::find_link(links, kLo)) set_lo(links, *lo, false);
  }

  void check(const Call& call, Host& host) override {
    if (!net::get_link(host.container_links(), kLo).up) {
      throw Error(Code::internal,
                  fmt::format("loopback interface {} in {} is down", kLo, call.netns),
                  "run ADD again, or set it up with `ip link set lo up` in that namespace: another "
                  "program set it down");
    }
  }
};

}  // namespace
}  // namespace unicni

// Stateless: bringing lo up is idempotent and ends with the namespace, so nothing is remembered.
UNICNI_MODULE(loopback, link, unicni::LoopbackModule, .traits = unicni::Trait::stateless);
