// 50 attachments at once, as when a node comes up or is drained.
#include <algorithm>
#include <string>
#include <vector>

#include "case.h"
#include "network.h"
#include "private_net.h"
#include "program.h"

namespace unicni::bench {
namespace {

constexpr std::size_t kAtOnce = 50;

struct Contender {
  const char* name;
  Network network;
};

void add_all(Report& report, const std::string& verb, const char* candidate, const Together& all) {
  report.add("all 50 " + verb, candidate, all.milliseconds);
  for (const Outcome& outcome : all.outcomes) {
    report.add("each of 50 " + verb, candidate, outcome.milliseconds);
  }
}

void round(const Contender& contender, const std::vector<ContainerNet>& nets,
           const std::string& prefix, Report& report) {
  std::vector<std::string> containers;
  std::vector<Command> commands;
  for (std::size_t i = 0; i < nets.size(); ++i) {
    containers.push_back(prefix + std::to_string(i));
    commands.push_back(contender.network.add(containers[i], nets[i]));
  }
  const Together added = run_together(commands);
  add_all(report, "ADD", contender.name, added);
  for (const ContainerNet& net : nets) require_attached(net, contender.name);

  for (std::size_t i = 0; i < nets.size(); ++i) {
    commands[i] = contender.network.del(containers[i], nets[i], added.outcomes[i].output);
  }
  add_all(report, "DEL", contender.name, run_together(commands));
  for (const ContainerNet& net : nets) require_gone(net, contender.name);
}

}  // namespace

void measure_parallel(const Setting& setting, Report& report) {
  const Contender contenders[] = {
      {kOurs, Network::bridge(setting.ours, "bench-ours-50", "10.94.0.0/16")},
      {kReference, Network::bridge(setting.reference, "bench-ref-50", "10.95.0.0/16")}};
  std::vector<ContainerNet> nets;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    nets.emplace_back("/run/bench-netns/parallel" + std::to_string(i));
  }
  Report warm_up;
  const unsigned rounds = std::max(setting.runs / 20, 2U);
  for (unsigned i = 0; i < rounds + 1; ++i) {
    for (const Contender& contender : contenders) {
      const std::string prefix = "p" + std::to_string(i) + '-';
      round(contender, nets, prefix, i == 0 ? warm_up : report);
    }
  }
  const auto goal = [&](const std::string& verb, double times) {
    report.judge_ratio(
        {"50 " + verb + " at once, times the reference's throughput", Bound::at_least, times, "x"},
        report.median("all 50 " + verb, kReference), report.median("all 50 " + verb, kOurs));
  };
  goal("ADD", 5.0);
  goal("DEL", 2.0);
}

}  // namespace unicni::bench
