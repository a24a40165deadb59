// Whole processes of unicni beside the reference plugins and the kernel's own work, in one run,
// taking turns; then the goals that they are held against.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "case.h"
#include "options.h"
#include "private_net.h"
#include "report.h"

namespace unicni::bench {
namespace {

constexpr int kSkipped = 77;

bool is_program(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

bool is_wanted(const Options& options, const std::string& name) {
  return options.cases.empty() ||
         std::find(options.cases.begin(), options.cases.end(), name) != options.cases.end();
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
  const Setting setting{options.stage + "/libexec/cni", options.reference, options.stage,
                        std::filesystem::read_symlink("/proc/self/exe").parent_path(),
                        options.runs};
  enter_private_host();
  for (const char* folder : {"/run/bench-netns", "/run/bench-ipam", "/run/bench-pool"})
    std::filesystem::create_directory(folder);

  Report report;
  for (const Case& each : kCases) {
    if (is_wanted(options, each.name)) each.measure(setting, report);
  }
  std::printf("%s\n%s", report.table().c_str(), report.verdicts().c_str());
  return options.check && !report.all_met() ? 1 : 0;
}

/// Plugins look whether their parent is a runtime, whose machine reaps what they leave behind
/// (exec/orphan.h). Runtimes are Go programs, which catch what they can.
void look_like_a_runtime() {
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  for (const int number : {SIGCHLD, SIGURG, SIGWINCH, SIGIO})
    ::sigaction(number, &nothing, nullptr);
}

}  // namespace
}  // namespace unicni::bench

int main(int argc, char** argv) {
  unicni::bench::look_like_a_runtime();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::fputs(unicni::bench::usage().c_str(), stdout);
    return 0;
  }
  unicni::bench::Options options;
  try {
    options = unicni::bench::parse_options(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "unicni_bench: %s\n%s", error.what(), unicni::bench::usage().c_str());
    return 2;
  }
  try {
    return unicni::bench::measure(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "unicni_bench: %s\n", error.what());
    return 1;
  }
}
