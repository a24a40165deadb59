// unictl explain: what an ADD would work by, which rule made it so, and what it would make.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/application.h"
#include "base/services.h"
#include "chain/planning.h"
#include "chain/request.h"
#include "chain/rules.h"
#include "chain/verb_host.h"
#include "compile/compile.h"
#include "module/cache.h"
#include "network.h"
#include "place.h"
#include "policy/compiled.h"
#include "protocol/document.h"
#include "protocol/list_request.h"
#include "protocol/network_list.h"
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
       {"makes", "MAKES", "string or null", "objects of the kernel; null: nobody knows"}}};
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
                  "CNI_ARGS of the ADD, as K8S_POD_NAMESPACE=web;K8S_POD_NAME=web-1");
    options.value(capabilities_, "--cap", "JSON",
                  "What the runtime offers, as {\"portMappings\": [{\"hostPort\": 80}]}");
    options.value(if_name_, "--ifname", "NAME", "CNI_IFNAME of the ADD");
    place_.declare(options);
  }

  app::ExitStatus run(app::Output& output) override {
    const Folders folders = place_.folders();
    const Services services{.folders = folders};
    module::Cache modules;
    const Deadline deadline = std::chrono::steady_clock::now() + kTime;
    const module::Locations where = place_.locations();
    compile::Compiler compiler(folders, where, deadline);
    const chain::Request request{Command::add, environment(where), list(compiler), "unicni", where,
                                 {},           deadline,           services,       modules};
    chain::VerbHost host(request);
    const settings::Settings settings(services, request.where, request.process_environment,
                                      deadline);
    chain::Plan plan = chain::plan(request, settings, host);
    if (is_chain(network_)) {
      for (chain::Member& member : plan.members) {
        member.origin.source = fmt::format("chain {}/{}.yaml", folders.chains(), network_);
      }
    }
    if (settings::find_source(folders.policies())) {
      auto policy = policy::parse_policy(compiler.compile(settings::kPolicy).body);
      chain::Rules rules(request, host, policy.value_or(policy::Policy()));
      rules.apply(plan.members, false);
    }
    put(plan, output);
    return app::ExitStatus::done;
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

  /// As the runtime would send it to one process.
  [[nodiscard]] protocol::Netconf list(compile::Compiler& compiler) const {
    const protocol::NetworkList list = read_network(network_, compiler);
    return protocol::make_list_request(list, Command::add, {.capability_args = capabilities_});
  }

  void put(const chain::Plan& plan, app::Output& output) const {
    app::Report report;
    report.add_table(table());
    for (const chain::Member& member : plan.members) {
      const std::string& config = member.netconf.text();
      report.add_row({Cell::text(member.type), Cell::json(config, config),
                      member.origin.source.empty() ? Cell() : Cell::text(member.origin.source),
                      objects_of(member.type)});
    }
    output.put(report);
  }

  PlaceOptions place_;
  std::string network_;
  std::string args_;
  std::string capabilities_;
  std::string if_name_ = "eth0";
};

}  // namespace

app::VerbText explain_verb() {
  return {"explain",
          "Show what an ADD would work by, and which rules made it so",
          "The plugins stand in the order in which they would be called, with their configurations "
          "after defaults, overrides and additions. Nothing is changed. What a policy denies, or "
          "what violates a limit, is the error that ADD would have.",
          "unictl explain web --args 'K8S_POD_NAMESPACE=tenant-a'\n"
          "unictl explain /etc/cni/net.d/10-web.conflist --cap '{\"bandwidth\": {\"egressRate\": "
          "1000000}}'",
          {&table()},
          [] { return std::unique_ptr<app::Verb>(std::make_unique<Explain>()); }};
}

}  // namespace unicni::unictl
