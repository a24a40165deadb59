// Memory that an ADD has in use at its peak, and bytes on the disk.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "case.h"
#include "network.h"
#include "private_net.h"
#include "program.h"

namespace unicni::bench {
namespace {

constexpr double kKib = 1024;
constexpr double kMib = 1024 * 1024;
constexpr unsigned kRuns = 5;

/// KiB; what peak_memory.c prints last on stderr.
double peak_of(const Setting& setting, Command command) {
  command.arguments.insert(command.arguments.begin(), setting.yardsticks + "/peak_memory");
  const Outcome outcome = run_well(command);
  const std::string mark = "peak KiB ";
  const std::size_t at = outcome.errors.rfind(mark);
  if (at == std::string::npos) throw std::runtime_error("peak_memory: " + outcome.errors);
  return std::atof(outcome.errors.c_str() + at + mark.size());
}

double largest_add(const Setting& setting, const std::string& plugins, const std::string& bridge,
                   const std::string& subnet) {
  const auto network = Network::bridge(plugins, bridge, subnet);
  double largest = 0;
  for (unsigned i = 0; i < kRuns; ++i) {
    const std::string container = bridge + std::to_string(i);
    const ContainerNet net("/run/bench-netns/" + container);
    largest = std::max(largest, peak_of(setting, network.add(container, net)));
  }
  return largest;
}

bool is_elf(const std::filesystem::path& path) {
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  return std::string(magic, sizeof magic) == "\177ELF";
}

/// MiB of all files of a tree, programs and modules stripped. Links count nothing.
double stripped_size(const std::string& tree) {
  const std::string stripped = "/run/bench-stripped";
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree)) {
    if (entry.is_symlink() || !entry.is_regular_file()) continue;
    if (!is_elf(entry.path())) {
      bytes += entry.file_size();
      continue;
    }
    run_well({{find_program("strip"), "-o", stripped, entry.path()}, {kPath}, ""});
    bytes += std::filesystem::file_size(stripped);
  }
  return static_cast<double>(bytes) / kMib;
}

}  // namespace

void measure_footprint(const Setting& setting, Report& report) {
  report.judge({"peak memory of an ADD", Bound::at_most, 8, "MiB"},
               largest_add(setting, setting.ours, "bench-peak", "10.99.0.0/16") / kKib);
  // A node that only runs plugins takes these two folders and nothing else.
  report.judge({"size of executable and modules, stripped", Bound::at_most, 5, "MiB"},
               stripped_size(setting.stage + "/libexec") +
                   stripped_size(setting.stage + "/lib/unicni/modules"));
  report.judge({"size of everything installed, stripped", Bound::at_most, 10, "MiB"},
               stripped_size(setting.stage));
}

}  // namespace unicni::bench
