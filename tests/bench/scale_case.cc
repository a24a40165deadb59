// The list's ADD on a host that has many attachments already, and on one with others' rules.
#include <string>

#include "case.h"
#include "foreign_rules.h"
#include "list_network.h"
#include "private_net.h"

namespace unicni::bench {
namespace {

constexpr unsigned kAttachments = 999;
constexpr unsigned kFewRuns = 20;  ///< below, the case only shows that it works
constexpr unsigned kFewAttachments = 49;
constexpr int kFirstPort = 10000;
constexpr int kMeasuredPort = 30000;

void bring_up(const HostNet& host) {
  const auto inside = host.enter();
  run_well({{find_program("ip"), "link", "set", "lo", "up"}, {}, ""});
}

/// One attachment's life; only its ADD counts.
void cycle(const ListNetwork& network, const HostNet& host, const std::string& row,
           const std::string& candidate, unsigned number, Report& report) {
  const std::string container = "scale" + std::to_string(number);
  const ContainerNet net("/run/bench-netns/" + container);
  const Server server(net);
  const auto inside = host.enter();
  const auto attached = network.add(container, net, kMeasuredPort);
  report.add(row, candidate, attached.milliseconds);
  require_list(network, net, kMeasuredPort, attached.result, candidate, false);
  static_cast<void>(network.del(container, net, kMeasuredPort, attached.result));
  require_no_list(network, net, kMeasuredPort, attached.result, candidate, false);
}

void among_others(const Setting& setting, Report& report, unsigned& number) {
  struct Place {
    const char* name;
    HostNet host;
    ListNetwork network;
  };
  const Place places[] = {{"bare host", HostNet("/run/bench-netns/scale-bare"),
                           ListNetwork(setting.ours, "scale-bare", 104, true)},
                          {"20,000 rules", HostNet("/run/bench-netns/scale-rules"),
                           ListNetwork(setting.ours, "scale-rules", 105, true)}};
  for (const Place& place : places) bring_up(place.host);
  {
    const auto inside = places[1].host.enter();
    add_foreign_rules();
  }
  Report warm_up;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    for (unsigned turn = 0; turn < 2; ++turn) {
      const Place& place = places[(i + turn) % 2];
      cycle(place.network, place.host, "scale rules ADD", place.name, number++,
            i < Setting::kWarmUps ? warm_up : report);
    }
  }
  report.judge_ratio({"list ADD among 20,000 foreign rules, times none", Bound::at_most, 1.2, "x"},
                     report.median("scale rules ADD", "20,000 rules"),
                     report.median("scale rules ADD", "bare host"));
}

void after_others(const Setting& setting, Report& report, unsigned& number) {
  const HostNet host("/run/bench-netns/scale-many");
  const ListNetwork network(setting.ours, "scale-many", 106, true);
  bring_up(host);
  const auto measure = [&](const char* candidate) {
    Report warm_up;
    for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
      cycle(network, host, "scale number ADD", candidate, number++,
            i < Setting::kWarmUps ? warm_up : report);
    }
  };
  measure("1");
  {
    const unsigned others = setting.runs < kFewRuns ? kFewAttachments : kAttachments;
    const auto inside = host.enter();
    for (unsigned i = 0; i < others; ++i) {
      const std::string name = "other" + std::to_string(i);
      const ContainerNet net("/run/bench-netns/" + name);
      static_cast<void>(network.add(name, net, kFirstPort + static_cast<int>(i)));
    }
  }
  measure("1,000");
  report.judge_ratio({"list ADD number 1,000, times number 1", Bound::at_most, 1.2, "x"},
                     report.median("scale number ADD", "1,000"),
                     report.median("scale number ADD", "1"));
}

}  // namespace

void measure_scale(const Setting& setting, Report& report) {
  unsigned number = 0;
  among_others(setting, report, number);
  after_others(setting, report, number);
}

}  // namespace unicni::bench
