// From spawn to the first answer that needs no kernel work: what linking costs.
#include <vector>

#include "case.h"
#include "program.h"

namespace unicni::bench {

void measure_start(const Setting& setting, Report& report) {
  struct Starter {
    const char* name;
    std::string program;
  };
  constexpr const char* kEmpty = "empty C++";
  const std::vector<Starter> starters = {{kOurs, setting.ours + "/bridge"},
                                         {kReference, setting.reference + "/bridge"},
                                         {kEmpty, setting.yardsticks + "/bench_empty_cxx"},
                                         {"empty C", setting.yardsticks + "/bench_empty_c"}};
  constexpr unsigned kTimes = 3;  // they are quick
  for (unsigned i = 0; i < setting.runs * kTimes + Setting::kWarmUps; ++i) {
    for (std::size_t turn = 0; turn < starters.size(); ++turn) {
      const Starter& starter = starters[(i + turn) % starters.size()];
      const Outcome outcome =
          run_well({{starter.program}, {"CNI_COMMAND=VERSION"}, R"({"cniVersion":"1.0.0"})"});
      if (i >= Setting::kWarmUps) report.add("VERSION", starter.name, outcome.milliseconds);
    }
  }
  report.judge_ratio({"VERSION, times an empty C++ program", Bound::at_most, 1.2, "x"},
                     report.median("VERSION", kOurs), report.median("VERSION", kEmpty));
}

}  // namespace unicni::bench
