// bandwidth: limits what a container receives by a token bucket on the host's end of its veth, and
// what it sends by one on an ifb, to which that end redirects all that it receives.
#include <fmt/core.h>

#include <algorithm>

#include "config.h"
#include "ifb.h"
#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/interface_entry.h"
#include "unicni/link_module.h"
#include "unicni/net/ifb.h"
#include "unicni/net/qdisc.h"
#include "unicni/stale_links.h"
#include "unicni/undo/qdisc.h"

namespace unicni::bandwidth {

namespace {

constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";

/// The limit as it is on `link`: a burst that isn't given depends on the MTU.
Limit complete(Limit limit, const net::Link& link) {
  if (limit.burst == 0) limit.burst = default_burst(limit.rate, link.mtu);
  return limit;
}

net::TokenBucket bucket_of(const Limit& limit) {
  return net::token_bucket(limit.rate, limit.burst);
}

/// A packet that is larger than the bucket never passes.
void warn_of_small_burst(Host& host, const Limit& limit, const net::Link& link) {
  if (limit.burst / 8 >= link.mtu) return;
  host.log(LogLevel::warning,
           fmt::format("a burst of {} bytes on {} drops all packets that are larger; its MTU is {}",
                       limit.burst / 8, link.name, link.mtu));
}

void require_bucket(Host& host, const net::Link& link, const Limit& configured) {
  const Limit limit = complete(configured, link);
  const auto fail = [&](const std::string& what) {
    throw Error(Code::internal, fmt::format("{} {}", link.name, what), kAddAgain);
  };
  const auto qdisc = net::find_qdisc(host.host_links(), link, net::QdiscPlace::root);
  if (!qdisc) fail("has no qdisc: its rate isn't limited");
  if (!qdisc->bucket) fail(fmt::format("has a qdisc {} at its root, not tbf", qdisc->kind));
  const net::TokenBucket& found = *qdisc->bucket;
  const net::TokenBucket wanted = bucket_of(limit);
  if (found.rate != wanted.rate) {
    fail(fmt::format("is limited to {} bytes a second, not {}", found.rate, wanted.rate));
  }
  if (found.limit != wanted.limit) {
    fail(fmt::format("lets {} bytes wait, not {}", found.limit, wanted.limit));
  }
  const std::uint32_t by_reference = net::reference_buffer(limit.rate, limit.burst);
  if (found.buffer != wanted.buffer && found.buffer != by_reference) {
    fail(fmt::format("has a burst of {} ticks, not {}", found.buffer, wanted.buffer));
  }
}

class Bandwidth : public ChainedModule {
 public:
  void del(const Call& call, Host& host) override { sweep_ifbs(call, host); }

  void check(const Call& call, Host& host) override {
    const Directions limits = directions(call.options<BandwidthOptions>());
    if (!limits.ingress && !limits.egress) return;
    const net::Link veth = get_host_veth(call, host);
    if (limits.ingress) require_bucket(host, veth, *limits.ingress);
    if (limits.egress) check_egress(call, host, veth, *limits.egress);
  }

  void gc(const Call& call, Host& host) override {
    if (call.valid_attachments) {
      remove_stale_links(call, host, net::list_links(host.host_links(), "ifb"));
    }
  }

  void status(const Call&, Host& host) override {
    if (net::knows_link_kind(host.host_links(), net::kIfb)) return;
    throw Error(Code::not_available, "the kernel has no ifb links, which limit egress",
                fmt::format("install the kernel module {} and load it with modprobe",
                            net::kIfb.kernel_module));
  }

 protected:
  void validate_options(const Call& call) override {
    static_cast<void>(directions(call.options<BandwidthOptions>()));
  }

  void apply(const Call& call, Host& host, Result& result) override {
    const Directions limits = directions(call.options<BandwidthOptions>());
    if (!limits.ingress && !limits.egress) return;
    const net::Link veth = get_host_veth(call, host);
    if (limits.ingress) limit_ingress(host, veth, *limits.ingress);
    if (limits.egress) {
      const net::Link ifb = make_ifb(call, host, veth.mtu);
      limit_egress(host, veth, ifb, *limits.egress);
      result.interfaces.push_back(host_interface(call, ifb.name, ifb.mac, ifb.mtu));
    }
  }

 private:
  static void limit_ingress(Host& host, const net::Link& veth, const Limit& configured) {
    const Limit limit = complete(configured, veth);
    warn_of_small_burst(host, limit, veth);
    require_free(host, veth, net::QdiscPlace::root);
    host.undo().announce(undo_qdisc(veth, net::QdiscPlace::root, "tbf"));
    net::Batch batch(host.host_links());
    net::add_token_bucket(batch, veth, bucket_of(limit));
    batch.commit();
  }

  static void limit_egress(Host& host, const net::Link& veth, const net::Link& ifb,
                           const Limit& configured) {
    const Limit limit = complete(configured, ifb);
    warn_of_small_burst(host, limit, ifb);
    require_free(host, veth, net::QdiscPlace::ingress);
    host.undo().announce(undo_qdisc(veth, net::QdiscPlace::ingress, "ingress"));
    net::Batch batch(host.host_links());
    net::add_token_bucket(batch, ifb, bucket_of(limit));
    // Last, or the kernel would first try the default qdisc, log that it can't do without a queue
    // (pfifo_fast_init()), and wait for all processors to forget it.
    net::LinkChange up;
    up.up = true;
    net::change_link(batch, ifb, up);
    net::redirect_received(batch, veth, ifb);
    batch.commit();
  }

  /// Before the record, whose undo would remove somebody else's qdisc of the same kind.
  static void require_free(Host& host, const net::Link& veth, net::QdiscPlace place) {
    const auto qdisc = net::find_qdisc(host.host_links(), veth, place);
    if (!qdisc) return;
    const char* where = place == net::QdiscPlace::root ? "at its root" : "for what it receives";
    throw Error(Code::internal,
                fmt::format("{} has a qdisc {} {} already", veth.name, qdisc->kind, where),
                "a runtime must DEL an attachment before it ADDs it again; or another program "
                "shapes this link");
  }

  static void check_egress(const Call& call, Host& host, const net::Link& veth,
                           const Limit& limit) {
    const auto fail = [](const std::string& what) { throw Error(Code::internal, what, kAddAgain); };
    const auto target = net::find_redirect(host.host_links(), veth);
    if (!target) fail(fmt::format("{} doesn't redirect what it receives to an ifb", veth.name));
    const auto ifb = net::find_link(host.host_links(), *target);
    if (!ifb) fail(fmt::format("{} redirects to link {}, which is gone", veth.name, *target));
    if (ifb->kind != "ifb") {
      fail(fmt::format("{} redirects to {}, which is no ifb", veth.name, ifb->name));
    }
    if (!ifb->up) fail(fmt::format("ifb {} is down", ifb->name));
    // The alias is ours; the reference's have none. A plugin after this one may have dropped ours
    // from the result.
    if (ifb->alias != call.key.alias() &&
        find_interface(*call.prev_result, ifb->name, "") == nullptr) {
      fail(fmt::format("{} redirects to {}, which is not this attachment's", veth.name, ifb->name));
    }
    require_bucket(host, *ifb, limit);
  }
};

constexpr const char* kCapabilities[] = {"bandwidth", nullptr};
constexpr const char* kSpecVersions[] = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", nullptr};

}  // namespace

}  // namespace unicni::bandwidth

UNICNI_MODULE(bandwidth, chained, unicni::bandwidth::Bandwidth,
              .options = &unicni::bandwidth::kBandwidthOptions,
              .capabilities = unicni::bandwidth::kCapabilities,
              .spec_versions = unicni::bandwidth::kSpecVersions);
