#include "foreign_rules.h"

#include <string>

#include "program.h"

namespace unicni::bench {
namespace {

constexpr unsigned kChains = 200;
constexpr unsigned kRulesPerChain = 100;

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

}  // namespace

void add_foreign_rules() { run_well({{find_program("nft"), "-f", "-"}, {}, foreign_rules()}); }

}  // namespace unicni::bench
