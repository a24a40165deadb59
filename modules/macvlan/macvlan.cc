// macvlan: an interface with a MAC of its own on a link of the host.
#include "unicni/net/macvlan.h"

#include <fmt/core.h>

#include <cerrno>

#include "config.h"
#include "unicni/error.h"
#include "unicni/link_module.h"
#include "unicni/parent_link.h"

namespace unicni::macvlan {

namespace {

const MacvlanOptions& options_of(const Call& call) { return call.options<MacvlanOptions>(); }

/// How `ip link` names it.
const char* name_of(net::MacvlanMode mode) {
  switch (mode) {
    case net::MacvlanMode::private_:
      return "private";
    case net::MacvlanMode::vepa:
      return "vepa";
    case net::MacvlanMode::passthru:
      return "passthru";
    case net::MacvlanMode::bridge:
      return "bridge";
  }
  return "another mode";
}

class Macvlan final : public LinkModule {
 protected:
  const char* container_kind() const override { return "macvlan"; }
  void validate_options(const Call& call) override { macvlan::validate(options_of(call)); }
  std::optional<Dns> dns(const Call& call) const override { return options_of(call).dns.chosen(); }
  void prepare(LinkAdd& add) override;
  MadeLink create_link(LinkAdd& add) override;
  void check_link(const Call& call, Host& host, const net::Link& container) override;
  bool is_in_place(const Call& call, Host& host, const net::Link& container,
                   const net::Link*) override;

 public:
  void status(const Call& call, Host& host) override;

 private:
  net::Link parent_;
};

net::Link usable_parent(Host& host, const ParentChoice& choice) {
  net::Link parent = get_parent(host, choice);
  require_mtu_within(choice, parent);
  return parent;
}

void Macvlan::prepare(LinkAdd& add) {
  parent_ = usable_parent(add.host, options_of(add.call).parent());
}

MadeLink Macvlan::create_link(LinkAdd& add) {
  const MacvlanOptions& options = options_of(add.call);
  const net::MacvlanMode mode = mode_of(options);
  const bool passthru = mode == net::MacvlanMode::passthru;
  ChildLink child{.kind = net::kMacvlan, .put = {}, .mac = options.mac()};
  child.put = [&](net::Batch& batch, const net::LinkSpec& spec) {
    net::add_macvlan(batch, spec, mode, static_cast<std::uint32_t>(options.bc_queue_len));
  };
  child.advice = [&](int error) -> std::string {
    if (error != EINVAL) return {};
    return fmt::format(
        "{} must be an Ethernet link and no loopback, and a macvlan in mode passthru is the only "
        "one that it can have",
        parent_.name);
  };
  MadeLink made = create_on_parent(add, options.parent(), parent_, child);
  if (passthru && options.mac() && made.mac != options.mac()) {
    add.host.log(LogLevel::warning,
                 fmt::format("mac {} is not taken: in mode passthru the interface has the MAC of "
                             "its master {}, {}",
                             options.mac()->str(), parent_.name, made.mac.str()));
  }
  return made;
}

void Macvlan::check_link(const Call& call, Host& host, const net::Link& container) {
  const MacvlanOptions& options = options_of(call);
  check_parent(host, options.parent(), container);
  const auto mode = net::find_macvlan_mode(host.container_links(), container.name);
  if (mode == mode_of(options)) return;
  throw Error(Code::internal,
              fmt::format("{} has mode {}, the configuration says {}", container.name,
                          mode ? name_of(*mode) : "none", name_of(mode_of(options))),
              "the attachment is broken: DEL and ADD it again");
}

bool Macvlan::is_in_place(const Call& call, Host& host, const net::Link& container,
                          const net::Link*) {
  const MacvlanOptions& options = options_of(call);
  return hangs_on_parent(host, options.parent(), container) &&
         net::find_macvlan_mode(host.container_links(), container.name) == mode_of(options);
}

void Macvlan::status(const Call& call, Host& host) {
  const ParentChoice choice = options_of(call).parent();
  require_available(choice, [&] { usable_parent(host, choice); });
  LinkModule::status(call, host);
}

}  // namespace

}  // namespace unicni::macvlan

namespace {
constexpr const char* kCapabilities[] = {"mac", nullptr};
}  // namespace

UNICNI_MODULE(macvlan, link, unicni::macvlan::Macvlan, .options = &unicni::macvlan::kMacvlanOptions,
              .capabilities = kCapabilities);
