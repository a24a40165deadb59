// vlan: an interface in an 802.1Q VLAN of a link of the host.
#include "unicni/net/vlan.h"

#include <fmt/core.h>

#include <cerrno>

#include "config.h"
#include "unicni/error.h"
#include "unicni/link_module.h"

namespace unicni::vlan {

namespace {

const VlanOptions& options_of(const Call& call) { return call.options<VlanOptions>(); }

net::Link usable_parent(Host& host, const ParentChoice& choice) {
  net::Link parent = get_parent(host, choice);
  require_mtu_within(choice, parent);
  require_up(parent);
  return parent;
}

class Vlan final : public LinkModule {
 protected:
  const char* container_kind() const override { return "vlan"; }
  bool needs_ipam() const override { return true; }
  void validate_options(const Call& call) override { vlan::validate(options_of(call)); }
  std::optional<Dns> dns(const Call& call) const override { return options_of(call).dns.chosen(); }
  void prepare(LinkAdd& add) override {
    parent_ = usable_parent(add.host, options_of(add.call).parent());
  }
  MadeLink create_link(LinkAdd& add) override;
  void check_link(const Call& call, Host& host, const net::Link& container) override;
  bool is_in_place(const Call& call, Host& host, const net::Link& container,
                   const net::Link*) override;

 public:
  void status(const Call& call, Host& host) override {
    const ParentChoice choice = options_of(call).parent();
    require_available(choice, [&] { usable_parent(host, choice); });
    LinkModule::status(call, host);
  }

 private:
  net::Link parent_;
};

MadeLink Vlan::create_link(LinkAdd& add) {
  const VlanOptions& options = options_of(add.call);
  ChildLink child{.kind = net::kVlan, .put = {}};
  child.put = [&](net::Batch& batch, const net::LinkSpec& spec) {
    net::add_vlan(batch, spec, options.id());
  };
  child.advice = [&](int error) -> std::string {
    if (error != EEXIST) return {};
    return fmt::format(
        "{} has one link for VLAN {}, perhaps in another container: delete it, or use another "
        "\"vlanId\"; for several containers in one VLAN give it to macvlan or bridge",
        parent_.name, options.vlan_id);
  };
  return create_on_parent(add, options.parent(), parent_, child);
}

void Vlan::check_link(const Call& call, Host& host, const net::Link& container) {
  const VlanOptions& options = options_of(call);
  check_parent(host, options.parent(), container);
  const auto id = net::find_vlan_id(host.container_links(), container.name);
  if (id == options.id()) return;
  throw Error(Code::internal,
              fmt::format("{} is in VLAN {}, the configuration says {}", container.name,
                          id.value_or(0), options.vlan_id),
              "the attachment is broken: DEL and ADD it again");
}

bool Vlan::is_in_place(const Call& call, Host& host, const net::Link& container, const net::Link*) {
  const VlanOptions& options = options_of(call);
  return hangs_on_parent(host, options.parent(), container) &&
         net::find_vlan_id(host.container_links(), container.name) == options.id();
}

}  // namespace

}  // namespace unicni::vlan

UNICNI_MODULE(vlan, link, unicni::vlan::Vlan, .options = &unicni::vlan::kVlanOptions);
