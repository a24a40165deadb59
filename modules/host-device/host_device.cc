// host-device: a device of the host becomes the container's interface, and comes home afterwards.
#include <fmt/core.h>

#include "config.h"
#include "target.h"
#include "unicni/error.h"
#include "unicni/link_module.h"
#include "unicni/net/device.h"
#include "unicni/undo/device.h"

namespace unicni::host_device {
namespace {

const HostDeviceOptions& options_of(const Call& call) { return call.options<HostDeviceOptions>(); }

class HostDevice final : public LinkModule {
 protected:
  const char* container_kind() const override { return nullptr; }
  void validate_options(const Call& call) override {
    host_device::validate(options_of(call));
    target_ = resolve(options_of(call));
  }
  bool has_link(const Call&) const override { return !target_.dpdk; }
  std::optional<Dns> dns(const Call& call) const override { return options_of(call).dns.chosen(); }
  MadeLink create_link(LinkAdd& add) override;
  void tune_link(const LinkAdd& add, net::LinkChange& change) override {
    // Without addresses there is nothing to tell, and a CAN bus has no arp_notify.
    if (!add.result.ips.empty()) change.arp_notify = true;
  }
  void check_link(const Call& call, Host& host, const net::Link& container) override;
  std::optional<net::Link> recognise(const Call& call, Host& host) override;
  void sweep(const Call& call, Host& host, const std::vector<IpNet>& addresses) override;
  void remove(const Call& call, Host& host, const net::Link& container) override;

 public:
  void status(const Call& call, Host& host) override;

 private:
  Target target_;
};

Error missing(const Target& target, Code code) {
  return {
      code, fmt::format("{} is not on this host", target.text),
      "see ip link and lspci -D; it may be in a container (then DEL that attachment), unplugged "
      "or misspelt"};
}

MadeLink HostDevice::create_link(LinkAdd& add) {
  if (target_.dpdk) return {.pci_id = target_.pci};
  const HostDeviceOptions& options = options_of(add.call);
  net::Netlink& links = add.host.host_links();
  const auto link = find_target(links, options, target_);
  if (!link) throw missing(target_, Code::internal);
  net::Device device{*link, add.call.key.if_name, 0, add.host.container_links().identity(),
                     add.call.netns};
  if (!options.device.empty() && link->name != options.device) {
    // The kernel gave it back, under the name that it had in a container.
    device.was.name = options.device;
    device.was.alias.clear();
  }
  add.host.undo().announce(undo_device(device));
  net::Batch batch(links);
  net::give_device(batch, device, *add.host.container_netns());
  batch.commit();
  MadeLink made = get_made_link(add);
  device.inside_index = made.link.index;
  add.host.undo().announce(undo_device(device));
  made.pci_id = link->parent_bus == "pci" ? link->parent : target_.pci;
  return made;
}

void HostDevice::check_link(const Call& call, Host&, const net::Link& container) {
  if (is_target(container, options_of(call), target_)) return;
  throw Error(Code::internal,
              fmt::format("{} in {} is not {}: its alias is \"{}\"", container.name, call.netns,
                          target_.text, container.alias),
              "run DEL and then ADD for the attachment; without its name on the host as alias, a "
              "device whose journal is lost can't be given its name back");
}

std::optional<net::Link> HostDevice::recognise(const Call& call, Host& host) {
  const Target target = resolve(options_of(call));
  for (net::Link& link : net::list_links(host.container_links())) {
    if (is_target(link, options_of(call), target)) return std::move(link);
  }
  return std::nullopt;
}

/// Without a journal: that was replayed before.
void bring_home(const Call& call, Host& host, net::Netlink& from, const net::Link& link) {
  const net::Device device = net::marked_device(link, options_of(call).device);
  const std::string name =
      net::bring_device_home(from, link, host.host_links(), host.host_netns(), device);
  if (const auto clash = net::clash_of(device, name)) host.log(LogLevel::warning, *clash);
}

void HostDevice::remove(const Call& call, Host& host, const net::Link& container) {
  bring_home(call, host, host.container_links(), container);
}

/// An alias can be people's own, so that only "device", which it must repeat, says enough.
void HostDevice::sweep(const Call& call, Host& host, const std::vector<IpNet>&) {
  const std::string& name = options_of(call).device;
  if (name.empty() || host.container_netns() != nullptr) return;
  for (const net::Link& link : net::list_links(host.host_links())) {
    const bool away = link.name != name && link.alias == name;
    if (away && net::is_given_back(link, call.key.if_name)) {
      bring_home(call, host, host.host_links(), link);
    }
  }
}

void HostDevice::status(const Call& call, Host& host) {
  if (has_link(call) && !find_target(host.host_links(), options_of(call), target_)) {
    throw missing(target_, Code::not_available);
  }
  LinkModule::status(call, host);
}

}  // namespace

}  // namespace unicni::host_device

namespace {
constexpr const char* kCapabilities[] = {"deviceID", nullptr};
}  // namespace

UNICNI_MODULE(host_device, link, unicni::host_device::HostDevice,
              .options = &unicni::host_device::kHostDeviceOptions, .capabilities = kCapabilities);
