// The same ADD on a bare host and on one that others fill: foreign nft rules and veths.
#include <memory>
#include <string>

#include "case.h"
#include "cycle.h"
#include "foreign_rules.h"
#include "private_net.h"
#include "program.h"

namespace unicni::bench {
namespace {

constexpr unsigned kVeths = 1000;

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
  add_foreign_rules();
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
