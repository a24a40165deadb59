// unictl explain: what an ADD would work by, which rule made it so, and what it would make.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/application.h"
#include "compile/compile.h"
#include "network.h"
#include "place.h"
#include "policy/compiled.h"
#include "protocol/network_list.h"
#include "rehearsal.h"
#include "settings/compiled.h"
#include "settings/settings.h"
#include "unicni/error.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

using app::Cell;

constexpr std::chrono::seconds kTime{60};

const app::TableShape& table() {
  static const app::TableShape shape{
      "members",
      nullptr,
      app::Form::rows,
      {{"type", "TYPE", "string", "the plugin"},
       {"config", "CONFIGURATION", "object", "what its ADD would work by"},
       {"source", "SOURCE", "string or null",
        "the chain, and each default, override or addition with its rule and line"},
       {"makes", "MAKES", "string or null", "objects of the kernel; null: nobody knows"},
       {"refusal", nullptr, "string or null",
        "why its ADD would fail before it changes anything"}}};
  return shape;
}

struct Objects {
  std::string_view type;
  const char* made;
};
constexpr std::array<Objects, 14> kObjects = {{
    {"bridge",
     "the bridge, if it isn't there; a veth pair; addresses and routes of the container; "
     "with ipMasq an element of the nftables table unicni"},
    {"ptp",
     "a veth pair; addresses and routes of the container; with ipMasq an element of the "
     "nftables table unicni"},
    {"macvlan", "a macvlan interface on the parent link; addresses and routes of the container"},
    {"ipvlan", "an ipvlan interface on the parent link; addresses and routes of the container"},
    {"vlan", "a VLAN interface on the parent link; addresses and routes of the container"},
    {"dummy", "a dummy interface; addresses and routes of the container"},
    {"tap", "a tap interface; addresses and routes of the container"},
    {"host-device", "nothing: a device of the host goes into the container"},
    {"loopback", "nothing: lo goes up"},
    {"portmap", "an element of the nftables table unicni for each published port"},
    {"firewall", "elements of the nftables table unicni; a rule in a FORWARD chain that drops"},
    {"bandwidth", "a tbf qdisc on the host's end; for egress an ifb with a tbf qdisc"},
    {"tuning", "nothing: sysctls and settings of the interface change"},
    {"sbr", "rules and a routing table for each address"},
}};

Cell objects_of(const std::string& type) {
  const auto found = std::find_if(kObjects.begin(), kObjects.end(),
                                  [&](const Objects& each) { return each.type == type; });
  return found == kObjects.end() ? Cell() : Cell::text(found->made);
}

class Explain final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.operand(network_, "NETWORK", "A chain's name, or the file of a .conflist");
    options.value(args_, "--args", "ARGS",
                  "CNI_ARGS of the ADD, as IgnoreUnknown=1;K8S_POD_NAMESPACE=web");
    options.value(capabilities_, "--cap", "JSON",
                  "What the runtime offers, as {\"portMappings\": [{\"hostPort\": 80}]}");
    options.value(if_name_, "--ifname", "NAME", "CNI_IFNAME of the ADD");
    place_.declare(options);
  }

  app::ExitStatus run(app::Output& output) override {
    const Folders folders = place_.folders();
    const module::Locations where = place_.locations();
    compile::Compiler compiler(folders, where, std::chrono::steady_clock::now() + kTime,
                               settings::Keep::nothing);
    const protocol::NetworkList list = read_network(network_, compiler);
    for (const std::string& text : list.warnings) output.warn(text);
    std::optional<policy::Policy> policy;
    if (settings::has_policies(folders)) {
      const settings::Compiled policies = compiler.compile(settings::kPolicy);
      for (const std::string& text : policies.warnings) output.warn(text);
      policy = policy::parse_policy(policies.body);
    }
    Rehearsal rehearsal(folders, where, environment(where),
                        [&](const std::string& text) { output.warn(text); });
    report_.add_table(table());
    std::vector<Error> refusals;
    const std::string chain =
        is_chain(network_) ? fmt::format("{}/{}.yaml", folders.chains(), network_) : "";
    for (const PluginCall& call : calls_of(list, chain, capabilities_)) {
      for (RehearsedMember& each : rehearsal.run(call, policy ? &*policy : nullptr)) {
        put(each);
        if (each.refusal) refusals.push_back(each.refusal->in_step(each.member.type));
      }
    }
    output.put(report_);
    for (const Error& refusal : refusals) {
      output.fail({refusal.code(),
                   fmt::format("ADD would fail with code {}: {}", refusal.code(), refusal.msg()),
                   refusal.details()});
    }
    return refusals.empty() ? app::ExitStatus::done : app::ExitStatus::failed;
  }

 private:
  [[nodiscard]] protocol::Environment environment(const module::Locations& where) const {
    protocol::Environment environment;
    environment.command = Command::add;
    environment.container_id = "explain";
    environment.if_name = if_name_;
    environment.args = args_;
    environment.path = where.cni_path;
    return environment;
  }

  void put(const RehearsedMember& rehearsed) {
    const chain::Member& member = rehearsed.member;
    const std::string& config = member.netconf.text();
    report_.add_row({Cell::text(member.type), Cell::json(config, config),
                     member.origin.source.empty() ? Cell() : Cell::text(member.origin.source),
                     objects_of(member.type),
                     rehearsed.refusal ? Cell::text(rehearsed.refusal->msg()) : Cell()});
  }

  app::Report report_;
  PlaceOptions place_;
  std::string network_;
  std::string args_;
  std::string capabilities_;
  std::string if_name_ = "eth0";
};

}  // namespace

app::VerbText explain_verb() {
  return {
      "explain",
      "Show what an ADD would work by, and which rules made it so",
      "The plugins stand in the order in which they would be called, with their configurations "
      "after defaults, overrides and additions. A chain's name and a plugin of type unicni stand "
      "for a list in one process; other plugins of a file are called alone, and nothing is "
      "added to them. Nothing is changed. What a policy denies, or what violates a limit, is "
      "the error that ADD would have.\n"
      "The status is 1 if ADD would fail before it changes anything.",
      "unictl explain web --args 'IgnoreUnknown=1;K8S_POD_NAMESPACE=tenant-a'\n"
      "unictl explain /etc/cni/net.d/10-web.conflist --cap '{\"bandwidth\": {\"egressRate\": "
      "1000000}}'",
      {&table()},
      [] { return std::unique_ptr<app::Verb>(std::make_unique<Explain>()); }};
}

}  // namespace unicni::unictl
