// A process a verb, one attachment after the other: beside the reference and the kernel's own work.
#include <memory>
#include <string>
#include <vector>

#include "case.h"
#include "cycle.h"
#include "private_net.h"

namespace unicni::bench {

void measure_verbs(const Setting& setting, Report& report) {
  std::vector<std::unique_ptr<Candidate>> candidates;
  candidates.push_back(
      cni_candidate(kOurs, "", Network::bridge(setting.ours, "bench-ours", "10.91.0.0/16")));
  candidates.push_back(cni_candidate(
      kReference, "", Network::bridge(setting.reference, "bench-ref", "10.92.0.0/16")));
  candidates.push_back(kernel_candidate(setting.yardsticks + "/kernel_only"));
  Report warm_up;
  unsigned number = 0;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    for (std::size_t turn = 0; turn < candidates.size(); ++turn) {
      // Another one begins each time, so that nobody always comes after the same neighbour.
      Candidate& candidate = *candidates[(i + turn) % candidates.size()];
      const ContainerNet net("/run/bench-netns/verbs" + std::to_string(number));
      candidate.cycle(net, number++, i < Setting::kWarmUps ? warm_up : report);
    }
  }

  const auto faster = [&](const char* verb, double times) {
    report.judge_ratio(
        {std::string(verb) + ", times faster than the reference", Bound::at_least, times, "x"},
        report.median(verb, kReference), report.median(verb, kOurs));
  };
  const auto beside_kernel = [&](const char* verb, double times) {
    report.judge_ratio(
        {std::string(verb) + ", times the kernel's own work", Bound::at_most, times, "x"},
        report.median(verb, kOurs), report.median(verb, kKernelOnly));
  };
  faster("ADD", 7.0);
  faster("CHECK", 3.0);
  faster("DEL", 3.0);
  beside_kernel("ADD", 2.0);
  beside_kernel("DEL", 1.2);
}

}  // namespace unicni::bench
