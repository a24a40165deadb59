// ipvlan: an interface with its parent's MAC and addresses of its own.
#include "unicni/net/ipvlan.h"

#include <fmt/core.h>

#include "config.h"
#include "unicni/error.h"
#include "unicni/link_module.h"

namespace unicni::ipvlan {

namespace {

const IpvlanOptions& options_of(const Call& call) { return call.options<IpvlanOptions>(); }

/// The parent as every verb but ADD knows it: prevResult is then this plugin's own.
ParentChoice configured_parent(const Call& call) {
  return parent_of(options_of(call), std::nullopt);
}

/// How `ip link` names it.
const char* name_of(net::IpvlanMode mode) {
  switch (mode) {
    case net::IpvlanMode::l2:
      return "l2";
    case net::IpvlanMode::l3:
      return "l3";
    case net::IpvlanMode::l3s:
      return "l3s";
  }
  return "another mode";
}

class Ipvlan final : public LinkModule {
 protected:
  const char* container_kind() const override { return "ipvlan"; }
  std::optional<Result> addresses(const Call& call) const override {
    return addresses_of(call.prev_result);
  }
  void validate_options(const Call& call) override;
  std::optional<Dns> dns(const Call& call) const override { return options_of(call).dns.chosen(); }
  void prepare(LinkAdd& add) override;
  MadeLink create_link(LinkAdd& add) override;
  void check_link(const Call& call, Host& host, const net::Link& container) override;
  bool is_in_place(const Call& call, Host& host, const net::Link& container,
                   const net::Link*) override;

 public:
  void status(const Call& call, Host& host) override;

 private:
  ParentChoice choice_;
  net::Link parent_;
};

void Ipvlan::validate_options(const Call& call) {
  require_valid(configured_parent(call));
  if (call.command == Command::add && call.step == 0) {
    static_cast<void>(parent_of(options_of(call), call.prev_result));
  }
}

void Ipvlan::prepare(LinkAdd& add) {
  const Call& call = add.call;
  if (call.ipam_type.empty() && !addresses(call)) {
    throw Error(Code::invalid_config, "ipam: ipvlan needs addresses, and prevResult has none",
                R"(add "ipam": {"type": "host-local", ...}, or put ipvlan behind another plugin)");
  }
  choice_ = parent_of(options_of(call), call.prev_result);
  parent_ = get_parent(add.host, choice_);
  if (choice_.mtu > static_cast<std::int64_t>(parent_.mtu)) {
    add.host.log(LogLevel::warning,
                 fmt::format("mtu {} is greater than that of master {}, {}: long packets get lost",
                             choice_.mtu, parent_.name, parent_.mtu));
  }
}

MadeLink Ipvlan::create_link(LinkAdd& add) {
  const net::IpvlanMode mode = mode_of(options_of(add.call));
  ChildLink child{.kind = net::kIpvlan, .put = {}};
  child.put = [mode](net::Batch& batch, const net::LinkSpec& spec) {
    net::add_ipvlan(batch, spec, mode);
  };
  return create_on_parent(add, choice_, parent_, child);
}

void Ipvlan::check_link(const Call& call, Host& host, const net::Link& container) {
  check_parent(host, configured_parent(call), container);
  const auto wanted = mode_of(options_of(call));
  const auto mode = net::find_ipvlan_mode(host.container_links(), container.name);
  if (mode == wanted) return;
  throw Error(
      Code::internal,
      fmt::format("{} has mode {}, the configuration says {}", container.name,
                  mode ? name_of(*mode) : "none", name_of(wanted)),
      "all ipvlan links of a parent have one mode, the last one's that was made: give their "
      "networks the same \"mode\" or other masters");
}

bool Ipvlan::is_in_place(const Call& call, Host& host, const net::Link& container,
                         const net::Link*) {
  return hangs_on_parent(host, configured_parent(call), container) &&
         net::find_ipvlan_mode(host.container_links(), container.name) == mode_of(options_of(call));
}

void Ipvlan::status(const Call& call, Host& host) {
  const ParentChoice choice = configured_parent(call);
  // Without "master" it may come from a prevResult, which STATUS has not.
  if (!choice.master.empty()) require_available(choice, [&] { get_parent(host, choice); });
  LinkModule::status(call, host);
}

}  // namespace

}  // namespace unicni::ipvlan

UNICNI_MODULE(ipvlan, link, unicni::ipvlan::Ipvlan, .options = &unicni::ipvlan::kIpvlanOptions);
