// The list's ADD on a host that has many attachments already, and on one with others' rules.
#include <fstream>
#include <memory>
#include <string>

#include "case.h"
#include "cycle.h"
#include "foreign_rules.h"
#include "list_network.h"
#include "private_net.h"

namespace unicni::bench {
namespace {

constexpr unsigned kAttachments = 999;
constexpr unsigned kFewRuns = 20;  ///< below, the case only shows that it works
constexpr unsigned kFewAttachments = 49;
constexpr unsigned kPerBridge = 100;
constexpr int kFirstOther = 110;  ///< second byte of their first network
constexpr int kFirstPort = 10000;
constexpr int kMeasuredPort = 30000;

void bring_up(const HostNet& host) {
  const auto inside = host.enter();
  run_well({{find_program("ip"), "link", "set", "lo", "up"}, {}, ""});
}

/// One attachment's life, in the rows "<stem> ADD" and "<stem> DEL".
void cycle(const ListNetwork& network, const HostNet& host, const std::string& stem,
           const std::string& candidate, unsigned number, Report& report) {
  const std::string container = "scale" + std::to_string(number);
  const ContainerNet net("/run/bench-netns/" + container);
  const Server server(net);
  const auto inside = host.enter();
  const auto attached = network.add(container, net, kMeasuredPort);
  report.add(stem + " ADD", candidate, attached.milliseconds);
  require_list(network, net, kMeasuredPort, attached.result, candidate, false);
  report.add(stem + " DEL", candidate, network.del(container, net, kMeasuredPort, attached.result));
  require_no_list(network, net, kMeasuredPort, attached.result, candidate, false);
}

struct Place {
  const char* name;
  HostNet host;
  ListNetwork network;
};

/// The two take turns, so that what else the machine does hits both.
void compare(const Setting& setting, Report& report, const Place (&places)[2],
             const std::string& stem, const std::string& goal, unsigned& number) {
  Report warm_up;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    for (unsigned turn = 0; turn < 2; ++turn) {
      const Place& place = places[(i + turn) % 2];
      cycle(place.network, place.host, stem, place.name, number++,
            i < Setting::kWarmUps ? warm_up : report);
    }
  }
  for (const char* verb : {" ADD", " DEL"}) {
    report.judge_ratio({"list" + (verb + (' ' + goal)), Bound::at_most, 1.2, "x"},
                       report.median(stem + verb, places[1].name),
                       report.median(stem + verb, places[0].name));
  }
}

void among_rules(const Setting& setting, Report& report, unsigned& number) {
  const Place places[] = {{"no rules", HostNet("/run/bench-netns/scale-bare"),
                           ListNetwork(setting.ours, "scale-bare", 104, true)},
                          {"20,000 rules", HostNet("/run/bench-netns/scale-rules"),
                           ListNetwork(setting.ours, "scale-rules", 105, true)}};
  for (const Place& place : places) bring_up(place.host);
  {
    const auto inside = places[1].host.enter();
    add_foreign_rules();
  }
  compare(setting, report, places, "scale rules", "among 20,000 foreign rules, times none", number);
}

/// On bridges of a node's usual size: what a container announces is flooded to all ports of its
/// bridge, which is the kernel's work and not what this is about.
void attach_others(const Setting& setting, const HostNet& host) {
  const unsigned others = setting.runs < kFewRuns ? kFewAttachments : kAttachments;
  for (unsigned i = 0; i < others; ++i) {
    const int bridge = static_cast<int>(i / kPerBridge);
    const ListNetwork network(setting.ours, "scale-other" + std::to_string(bridge),
                              kFirstOther + bridge, true);
    const std::string name = "other" + std::to_string(i);
    const ContainerNet net("/run/bench-netns/" + name);
    {
      // In the first 12 s of its life each would look for routers, three times.
      const HostNet::Inside inside(net.path());
      std::ofstream("/proc/sys/net/ipv6/conf/default/router_solicitations") << 0;
    }
    const auto inside = host.enter();
    static_cast<void>(network.add(name, net, kFirstPort + static_cast<int>(i)));
  }
}

void among_attachments(const Setting& setting, Report& report, unsigned& number) {
  const Place places[] = {{"number 1", HostNet("/run/bench-netns/scale-one"),
                           ListNetwork(setting.ours, "scale-one", 106, true)},
                          {"number 1,000", HostNet("/run/bench-netns/scale-many"),
                           ListNetwork(setting.ours, "scale-many", 107, true)}};
  for (const Place& place : places) bring_up(place.host);
  attach_others(setting, places[1].host);
  // Beside it, without a goal: how much of the difference is the kernel's own, of a veth alone.
  for (const Place& place : places) {
    const std::string rows = std::string("scale ") + place.name + " veth ";
    std::unique_ptr<Candidate> kernel;
    {
      const auto inside = place.host.enter();
      kernel = kernel_candidate(setting.yardsticks + "/kernel_only", rows);
    }
    for (unsigned i = 0; i < setting.runs; ++i) {
      const ContainerNet net("/run/bench-netns/kernel" + std::to_string(number));
      const auto inside = place.host.enter();
      kernel->cycle(net, number++, report);
    }
  }
  compare(setting, report, places, "scale number", "number 1,000, times number 1", number);
}

}  // namespace

void measure_scale(const Setting& setting, Report& report) {
  unsigned number = 0;
  among_rules(setting, report, number);
  among_attachments(setting, report, number);
}

}  // namespace unicni::bench
