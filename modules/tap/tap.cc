// tap: an interface in the container whose frames a program there reads and writes.
#include "unicni/net/tap.h"

#include <fmt/core.h>

#include "config.h"
#include "unicni/error.h"
#include "unicni/interface_entry.h"
#include "unicni/link_module.h"
#include "unicni/undo/container_link.h"

namespace unicni::tap {

namespace {

constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";

const TapOptions& options_of(const Call& call) { return call.options<TapOptions>(); }

std::string text_of(const std::optional<std::uint32_t>& id) {
  return id ? fmt::format("{}", *id) : "nobody";
}

class Tap final : public LinkModule {
 protected:
  const char* container_kind() const override { return "tun"; }
  void validate_options(const Call& call) override;
  std::optional<Dns> dns(const Call& call) const override { return options_of(call).dns.chosen(); }
  void prepare(LinkAdd& add) override;
  MadeLink create_link(LinkAdd& add) override;
  void tune_link(const LinkAdd& add, net::LinkChange& change) override {
    if (!add.result.ips.empty()) change.arp_notify = true;
  }
  void check_link(const Call& call, Host& host, const net::Link& container) override;
  bool is_in_place(const Call& call, Host& host, const net::Link& container,
                   const net::Link* host_end) override;

 public:
  void status(const Call& call, Host& host) override;

 private:
  net::Link bridge_;  ///< of ADD, if the options have one
};

/// The bridge that the options name. Throws Error.
net::Link get_bridge(const Call& call, Host& host) {
  const std::string& name = options_of(call).bridge;
  const auto bridge = net::find_link(host.container_links(), name);
  if (bridge && bridge->kind == "bridge") return *bridge;
  throw Error(
      Code::internal,
      fmt::format("bridge {} in {} is {}", name, call.netns, bridge ? "no bridge" : "missing"),
      "create the bridge in the container's network namespace before ADD, or correct \"bridge\"");
}

void Tap::validate_options(const Call& call) {
  const TapOptions& options = options_of(call);
  tap::validate(options);
  if (call.command != Command::add || options.selinux_context.empty() || net::has_selinux()) return;
  throw Error(Code::invalid_config,
              fmt::format("selinuxContext: this kernel doesn't run SELinux, so {} can't be had",
                          options.selinux_context),
              "remove selinuxContext, or boot the kernel with selinux=1 security=selinux");
}

void Tap::prepare(LinkAdd& add) {
  if (!options_of(add.call).bridge.empty()) bridge_ = get_bridge(add.call, add.host);
}

MadeLink Tap::create_link(LinkAdd& add) {
  const TapOptions& options = options_of(add.call);
  const std::string& name = add.call.key.if_name;
  net::TapSpec spec;
  spec.name = name;
  spec.multi_queue = options.multi_queue;
  spec.owner = options.owner;
  spec.group = options.group;
  spec.selinux_context = options.selinux_context;
  add.host.undo().announce(undo_container_link(name, container_kind()));
  net::add_tap(spec, *add.host.container_netns(), add.host.host_netns());

  net::Netlink& links = add.host.container_links();
  const int index = net::get_link_index(links, name);
  net::LinkChange change;
  change.mac = options.mac();
  if (options.mtu != 0) change.mtu = static_cast<std::uint32_t>(options.mtu);
  net::Batch batch(links);
  net::change_link(batch, {index, name}, change);
  if (bridge_.index != 0) net::set_master(batch, {index, name}, bridge_);
  if (!batch.empty()) batch.commit();
  return get_made_link(add);
}

void Tap::check_link(const Call& call, Host& host, const net::Link& container) {
  const TapOptions& options = options_of(call);
  const auto fail = [&](const std::string& what, const std::string& advice = kAddAgain) {
    throw Error(Code::internal, fmt::format("{} {}", container.name, what), advice);
  };
  const auto data = net::find_tap_data(host.container_links(), container.name);
  if (!data) {
    fail("is no tap");
    return;
  }
  require_mtu(options.mtu, container);
  if (const auto mac = options.mac(); mac && *mac != container.mac) {
    fail(fmt::format("has MAC {}, the configuration says {}", container.mac.str(), mac->str()));
  }
  if (data->multi_queue != options.multi_queue) {
    fail(options.multi_queue ? "has one queue" : "has several queues");
  }
  if (data->owner != options.owner) fail("is owned by uid " + text_of(data->owner));
  if (data->group != options.group) fail("belongs to gid " + text_of(data->group));
  if (options.bridge.empty()) return;
  if (container.master != get_bridge(call, host).index) {
    fail("is no port of " + options.bridge,
         fmt::format("ip -n <netns> link set {} master {}", container.name, options.bridge));
  }
}

/// Everything that the configuration says of it is true, and that is something.
bool Tap::is_in_place(const Call& call, Host& host, const net::Link& container, const net::Link*) {
  const TapOptions& options = options_of(call);
  if (!options.mac() && !options.owner && !options.group && options.bridge.empty()) return false;
  const auto data = net::find_tap_data(host.container_links(), container.name);
  if (!data || data->owner != options.owner || data->group != options.group) return false;
  if (options.mac() && *options.mac() != container.mac) return false;
  if (options.bridge.empty()) return true;
  const auto bridge = net::find_link(host.container_links(), options.bridge);
  return bridge && container.master == bridge->index;
}

void Tap::status(const Call& call, Host& host) {
  try {
    net::require_tun_device();
  } catch (const Error& error) {
    throw Error(Code::not_available, error.msg(), error.details());
  }
  LinkModule::status(call, host);
}

}  // namespace

}  // namespace unicni::tap

namespace {
constexpr const char* kCapabilities[] = {"mac", nullptr};
}  // namespace

UNICNI_MODULE(tap, link, unicni::tap::Tap, .options = &unicni::tap::kTapOptions,
              .capabilities = kCapabilities);
