// vxlan: an interface of the container that is one end of a VXLAN tunnel. Its packets travel
// between this host and another one as UDP.
#include <arpa/inet.h>
#include <linux/if_link.h>

#include <cerrno>

#include "unicni/error.h"
#include "unicni/link_options.h"
#include "unicni/parent_link.h"
#include "unicni/undo/container_link.h"

namespace vxlan {
namespace {

struct Options {
  std::int64_t vni = 0;
  std::string remote;
  std::string master;
  std::int64_t port = 0;
  std::int64_t mtu = 0;
  unicni::DnsOptions dns;
};

constexpr unicni::Option kRows[] = {
    unicni::option<&Options::vni>("vni", "number of the tunnel, the same at both ends")
        .must_be_given()
        .with_range(1, 0xffffff),
    unicni::option<&Options::remote>("remote", "IP address of the host at the other end")
        .must_be_given(),
    unicni::option<&Options::master>("master",
                                     "link of this host that the packets leave by; "
                                     "default: that of the default route"),
    unicni::option<&Options::port>("port", "UDP port of both hosts")
        .with_range(1, 65535)
        .with_default("4789"),
    unicni::option<&Options::mtu>("mtu", "MTU in bytes of the interface; 0: the kernel's choice")
        .with_range(0, 65535)
        .with_default("0"),
    unicni::option<&Options::dns>("dns", "DNS settings for the result, in place of IPAM's"),
};
constinit const unicni::OptionTable kOptions = unicni::option_table<Options>(kRows);
constexpr unicni::net::LinkKind kKind{"vxlan", "vxlan"};

const Options& options_of(const unicni::Call& call) { return call.options<Options>(); }

unicni::IpAddress remote_of(const Options& options) {
  if (const auto address = unicni::IpAddress::parse(options.remote)) return *address;
  throw unicni::Error(unicni::Code::invalid_config,
                      "remote: \"" + options.remote + "\" is no IP address",
                      "write the address of the other host, such as 192.0.2.7");
}
unicni::ParentChoice parent_of(const Options& options) {
  return {.master = options.master, .mtu = options.mtu};
}
/// As the kernel wants and tells it.
std::uint16_t remote_attribute(const unicni::IpAddress& remote) {
  return remote.is_v4() ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6;
}
std::string bytes_of(const unicni::IpAddress& address) {
  return {reinterpret_cast<const char*>(address.data()), address.size()};
}

class Vxlan final : public unicni::LinkModule {
 protected:
  const char* container_kind() const override { return kKind.name; }
  std::optional<unicni::Dns> dns(const unicni::Call& call) const override {
    return options_of(call).dns.chosen();
  }
  /// Before anything is changed, and not for DEL, which is never refused.
  void validate_options(const unicni::Call& call) override {
    unicni::require_valid(parent_of(options_of(call)));
    (void)remote_of(options_of(call));
  }
  void prepare(unicni::LinkAdd& add) override {
    parent_ = unicni::get_parent(add.host, parent_of(options_of(add.call)));
    unicni::require_up(parent_);
  }
  /// create_on_parent() announces the link to the undo log and then has it made, in the container's
  /// namespace at once: a failed ADD, a killed process and DEL take it away without this module.
  unicni::MadeLink create_link(unicni::LinkAdd& add) override {
    const Options& options = options_of(add.call);
    const unicni::IpAddress remote = remote_of(options);
    unicni::ChildLink child{.kind = kKind, .put = {}};
    child.put = [&](unicni::net::Batch& batch, const unicni::net::LinkSpec& spec) {
      unicni::net::add_link(
          batch, spec, kKind,
          {unicni::net::kind_value(IFLA_VXLAN_ID, static_cast<std::uint32_t>(options.vni)),
           unicni::net::kind_value(IFLA_VXLAN_LINK, parent_.index),
           unicni::net::kind_value(IFLA_VXLAN_PORT,
                                   htons(static_cast<std::uint16_t>(options.port))),
           {remote_attribute(remote), bytes_of(remote)}});
    };
    child.advice = [&](int error) -> std::string {
      if (error != EEXIST) return {};
      return "this host has a tunnel " + std::to_string(options.vni) +
             " already, perhaps in another container: use another \"vni\"";
    };
    return create_on_parent(add, parent_of(options), parent_, child);
  }
  void check_link(const unicni::Call& call, unicni::Host& host,
                  const unicni::net::Link& link) override {
    const Options& options = options_of(call);
    auto& links = host.container_links();
    const auto vni =
        unicni::net::find_kind_value<std::uint32_t>(links, link.name, kKind, IFLA_VXLAN_ID);
    const unicni::IpAddress remote = remote_of(options);
    const auto there =
        unicni::net::find_kind_bytes(links, link.name, kKind, remote_attribute(remote));
    if (vni == options.vni && there == bytes_of(remote)) return;
    throw unicni::Error(
        unicni::Code::internal,
        link.name + " is not tunnel " + std::to_string(options.vni) + " to " + options.remote,
        "the attachment is broken: DEL and ADD it again");
  }

 private:
  unicni::net::Link parent_;  // what prepare() tells create_link()
};

}  // namespace
}  // namespace vxlan

UNICNI_MODULE(vxlan, link, vxlan::Vxlan, .options = &vxlan::kOptions);
