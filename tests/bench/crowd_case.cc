// The same ADD on a bare host and on one that others fill: foreign nft rules and veths.
#include <memory>
#include <string>

#include "case.h"
#include "cycle.h"
#include "private_net.h"
#include "program.h"

namespace unicni::bench {
namespace {

constexpr unsigned kChains = 200;
constexpr unsigned kRulesPerChain = 100;
constexpr unsigned kVeths = 1000;

/// Many chains behind one base chain, as Kubernetes' proxies lay them out.
std::string foreign_rules() {
  std::string chains;
  std::string jumps;
  for (unsigned chain = 0; chain < kChains; ++chain) {
    const std::string name = "service" + std::to_string(chain);
    chains += "chain " + name + " {\n";
    for (unsigned rule = 0; rule < kRulesPerChain; ++rule) {
      chains += "ip daddr 192.168." + std::to_string(chain) + "." + std::to_string(rule) +
                " tcp dport " + std::to_string(1024 + rule) + " accept\n";
    }
    chains += "}\n";
    jumps += "jump " + name + "\n";
  }
  return "table ip foreign {\n" + chains +
         "chain forward { type filter hook forward priority 0;\n" + jumps + "}\n}\n";
}

/// Their peers live in `containers`, as others' containers would hold them.
std::string foreign_veths(const ContainerNet& containers) {
  std::string lines;
  for (unsigned i = 0; i < kVeths; ++i) {
    const std::string number = std::to_string(i);
    lines += "link add foreign" + number + " up type veth peer name eth" + number + " netns " +
             containers.path() + "\n";
  }
  return lines;
}

void fill(const HostNet& host, const ContainerNet& containers) {
  const auto inside = host.enter();
  run_well({{find_program("nft"), "-f", "-"}, {}, foreign_rules()});
  run_well({{find_program("ip"), "-batch", "-"}, {}, foreign_veths(containers)});
}

}  // namespace

void measure_crowd(const Setting& setting, Report& report) {
  struct Place {
    const char* name;
    HostNet host;
    std::unique_ptr<Candidate> candidate;
  };
  Place places[] = {{"bare host", HostNet("/run/bench-netns/bare-host"),
                     cni_candidate("bare host", "crowd ",
                                   Network::bridge(setting.ours, "bench-bare", "10.96.0.0/16"))},
                    {"full host", HostNet("/run/bench-netns/full-host"),
                     cni_candidate("full host", "crowd ",
                                   Network::bridge(setting.ours, "bench-full", "10.97.0.0/16"))}};
  const ContainerNet others("/run/bench-netns/crowd-others");
  fill(places[1].host, others);

  Report warm_up;
  unsigned number = 0;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    for (unsigned turn = 0; turn < 2; ++turn) {
      Place& place = places[(i + turn) % 2];
      const ContainerNet net("/run/bench-netns/crowd" + std::to_string(number));
      const auto inside = place.host.enter();
      place.candidate->cycle(net, number++, i < Setting::kWarmUps ? warm_up : report);
    }
  }
  report.judge_ratio(
      {"ADD among 20,000 foreign rules and 1,000 veths, times bare", Bound::at_most, 1.2, "x"},
      report.median("crowd ADD", "full host"), report.median("crowd ADD", "bare host"));
}

}  // namespace unicni::bench
