#include "cycle.h"

#include <utility>

#include "program.h"

namespace unicni::bench {
namespace {

class CniCandidate : public Candidate {
 public:
  CniCandidate(std::string name, std::string rows, Network network)
      : Candidate(std::move(name), std::move(rows)), network_(std::move(network)) {}

  void cycle(const ContainerNet& net, unsigned number, Report& report) override {
    const std::string container = "bench" + std::to_string(number);
    const Outcome added = run_well(network_.add(container, net));
    report.add(row("ADD"), name(), added.milliseconds);
    require_attached(net, name());
    report.add(row("CHECK"), name(),
               run_well(network_.check(container, net, added.output)).milliseconds);
    report.add(row("DEL"), name(),
               run_well(network_.del(container, net, added.output)).milliseconds);
    require_gone(net, name());
  }

 private:
  Network network_;
};

class KernelCandidate : public Candidate {
 public:
  KernelCandidate(std::string program, std::string rows, std::string kind, std::string link)
      : Candidate(kKernelOnly, std::move(rows)),
        program_(std::move(program)),
        kind_(std::move(kind)),
        link_(std::move(link)) {}

  static std::unique_ptr<Candidate> of_bridge(std::string program, std::string rows) {
    make_bridge(kBridge, kGateway);
    run_well({{find_program("nft"), "-f", "-"}, {}, kTable});
    return std::make_unique<KernelCandidate>(std::move(program), std::move(rows), "bridge",
                                             kBridge);
  }

  void cycle(const ContainerNet& net, unsigned number, Report& report) override {
    const std::string address =
        "10.93." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 2);
    report.add(row("ADD"), name(), verb("ADD", net, address));
    require_attached(net, name());
    report.add(row("DEL"), name(), verb("DEL", net, address));
    require_gone(net, name());
  }

 private:
  [[nodiscard]] double verb(const char* command, const ContainerNet& net,
                            const std::string& address) const {
    return run_well(
               {{program_, command, kind_, net.path(), kLink, link_, address + "/16", kGateway},
                {kPath},
                ""})
        .milliseconds;
  }

  static constexpr const char* kBridge = "bench-kernel";
  static constexpr const char* kGateway = "10.93.0.1";
  static constexpr const char* kTable = R"(table inet kernel_only {
  set masq4 { type ipv4_addr; }
  chain source_nat {
    type nat hook postrouting priority 105;
    ip saddr @masq4 ip daddr != 10.93.0.0/16 masquerade
  }
})";
  std::string program_;
  std::string kind_;
  std::string link_;
};

}  // namespace

std::unique_ptr<Candidate> cni_candidate(std::string name, std::string rows, Network network) {
  return std::make_unique<CniCandidate>(std::move(name), std::move(rows), std::move(network));
}

std::unique_ptr<Candidate> kernel_candidate(std::string program, std::string rows) {
  return KernelCandidate::of_bridge(std::move(program), std::move(rows));
}

std::unique_ptr<Candidate> kernel_macvlan_candidate(std::string program, std::string rows,
                                                    std::string master) {
  return std::make_unique<KernelCandidate>(std::move(program), std::move(rows), "macvlan",
                                           std::move(master));
}

}  // namespace unicni::bench
