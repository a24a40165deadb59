// The other interface plugins that a host's own kernel has, beside the reference's.
#include <memory>
#include <string>
#include <vector>

#include "case.h"
#include "cycle.h"
#include "private_net.h"

namespace unicni::bench {

namespace {

constexpr const char* kMaster = "bench-master";

void measure_member(const Setting& setting, Report& report, const std::string& type,
                    const std::string& options, int subnet) {
  const auto network = [&](const std::string& folder, const char* who, int second_byte) {
    return Network::of_type(folder, type, "bench-" + type + '-' + who, options,
                            "10." + std::to_string(second_byte) + ".0.0/16");
  };
  const std::string rows = type + ": ";
  std::vector<std::unique_ptr<Candidate>> candidates;
  candidates.push_back(cni_candidate(kOurs, rows, network(setting.ours, "ours", subnet)));
  candidates.push_back(
      cni_candidate(kReference, rows, network(setting.reference, "ref", subnet + 1)));
  if (type == "macvlan") {
    candidates.push_back(
        kernel_macvlan_candidate(setting.yardsticks + "/kernel_only", rows, kMaster));
  }
  Report warm_up;
  unsigned number = 0;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    for (std::size_t turn = 0; turn < candidates.size(); ++turn) {
      const ContainerNet net("/run/bench-netns/" + type + std::to_string(number));
      candidates[(i + turn) % candidates.size()]->cycle(net, number++,
                                                        i < Setting::kWarmUps ? warm_up : report);
    }
  }
  const auto faster = [&](const char* verb, double times) {
    report.judge_ratio(
        {rows + verb + ", times faster than the reference", Bound::at_least, times, "x"},
        report.median(rows + verb, kReference), report.median(rows + verb, kOurs));
  };
  faster("ADD", 6.0);
  faster("DEL", 2.0);
}

}  // namespace

void measure_family(const Setting& setting, Report& report) {
  make_bridge(kMaster, "10.97.0.1");
  measure_member(setting, report, "ptp", R"("ipMasq":true)", 95);
  measure_member(setting, report, "macvlan",
                 std::string(R"("mode":"bridge","master":")") + kMaster + '"', 98);
}

}  // namespace unicni::bench
