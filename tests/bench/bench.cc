// Whole-process medians of unicni beside the reference plugins and the kernel's own work, in one
// run, taking turns.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "cycle.h"
#include "private_net.h"
#include "program.h"
#include "report.h"

namespace unicni::bench {
namespace {

constexpr int kSkipped = 77;
constexpr unsigned kWarmUps = 3;  ///< the first cycles make bridges and tables; nobody counts them

constexpr const char* kUsage =
    "usage: unicni_bench [--stage DIR] [--reference DIR] [--runs N] [--check]\n"
    "  --stage DIR      an installed tree (default: the environment's UNICNI_STAGE)\n"
    "  --reference DIR  the reference plugins (default: /usr/lib/cni)\n"
    "  --runs N         cycles of each candidate, 1 to 5000 (default: 60)\n"
    "  --check          exit 1 if a goal is missed\n"
    "example: sudo unicni_bench --stage /usr/local --runs 200 --check\n";

struct Options {
  std::string stage;
  std::string reference = "/usr/lib/cni";
  unsigned runs = 60;
  bool check = false;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  if (const char* stage = std::getenv("UNICNI_STAGE")) options.stage = stage;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto value = [&]() -> const std::string& {
      if (i + 1 == arguments.size()) throw std::invalid_argument(arguments[i] + " needs a value");
      return arguments[++i];
    };
    if (arguments[i] == "--stage") {
      options.stage = value();
    } else if (arguments[i] == "--reference") {
      options.reference = value();
    } else if (arguments[i] == "--check") {
      options.check = true;
    } else if (arguments[i] == "--runs") {
      const std::string& text = value();
      const int runs = text.size() <= 4 ? std::atoi(text.c_str()) : 0;
      if (runs < 1 || runs > 5000)
        throw std::invalid_argument("--runs " + text + ": allowed is 1 to 5000");
      options.runs = static_cast<unsigned>(runs);
    } else {
      throw std::invalid_argument("unknown argument " + arguments[i]);
    }
  }
  return options;
}

bool is_program(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

/// From spawn to the first answer that needs no kernel work: what linking costs.
void measure_start(const Options& options, const std::string& yardsticks, Report& report) {
  struct Starter {
    const char* name;
    std::string program;
  };
  const std::vector<Starter> starters = {{kOurs, options.stage + "/libexec/cni/bridge"},
                                         {kReference, options.reference + "/bridge"},
                                         {"empty C++", yardsticks + "/bench_empty_cxx"},
                                         {"empty C", yardsticks + "/bench_empty_c"}};
  for (unsigned i = 0; i < options.runs + kWarmUps; ++i) {
    for (const Starter& starter : starters) {
      const Outcome outcome =
          run_well({{starter.program}, {"CNI_COMMAND=VERSION"}, R"({"cniVersion":"1.0.0"})"});
      if (i >= kWarmUps) report.add("start", starter.name, outcome.milliseconds);
    }
  }
}

void measure_verbs(const Options& options, const std::string& yardsticks, Report& report) {
  std::vector<std::unique_ptr<Candidate>> candidates;
  candidates.push_back(
      cni_candidate(kOurs, options.stage + "/libexec/cni", "bench-ours", "10.91.0.0/16"));
  candidates.push_back(cni_candidate(kReference, options.reference, "bench-ref", "10.92.0.0/16"));
  candidates.push_back(kernel_candidate(yardsticks + "/kernel_only"));
  Report warm_up;
  unsigned number = 0;
  for (unsigned i = 0; i < options.runs + kWarmUps; ++i) {
    for (std::size_t turn = 0; turn < candidates.size(); ++turn) {
      // Another one begins each time, so that nobody always comes after the same neighbour.
      Candidate& candidate = *candidates[(i + turn) % candidates.size()];
      const ContainerNet net("/run/bench-netns/" + std::to_string(number));
      candidate.cycle(net, number++, i < kWarmUps ? warm_up : report);
    }
  }
}

int measure(const Options& options) {
  if (options.stage.empty()) {
    std::fputs(
        "unicni_bench: SKIPPED, neither --stage nor UNICNI_STAGE says where unicni is installed\n",
        stderr);
    return kSkipped;
  }
  if (!is_program(options.reference + "/bridge")) {
    throw std::runtime_error(
        "no reference plugins in " + options.reference +
        "; install them with tools/setup --tests, or name their folder with --reference");
  }
  const std::string yardsticks = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  enter_private_host();
  for (const char* folder : {"/run/bench-netns", "/run/bench-ipam"})
    std::filesystem::create_directory(folder);

  Report report;
  measure_start(options, yardsticks, report);
  measure_verbs(options, yardsticks, report);
  std::fputs(report.table().c_str(), stdout);
  if (!options.check) return 0;
  const std::vector<std::string> missed = report.missed_goals();
  for (const std::string& text : missed) std::printf("MISSED %s\n", text.c_str());
  if (missed.empty()) std::puts("all goals met");
  return missed.empty() ? 0 : 1;
}

}  // namespace
}  // namespace unicni::bench

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::fputs(unicni::bench::kUsage, stdout);
    return 0;
  }
  unicni::bench::Options options;
  try {
    options = unicni::bench::parse(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "unicni_bench: %s\n%s", error.what(), unicni::bench::kUsage);
    return 2;
  }
  try {
    return unicni::bench::measure(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "unicni_bench: %s\n", error.what());
    return 1;
  }
}
