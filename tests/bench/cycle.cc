#include "cycle.h"

#include <stdexcept>
#include <utility>

#include "program.h"

namespace unicni::bench {
namespace {

constexpr const char* kLink = "eth0";
// The reference finds iptables by it.
constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void require_attached(const ContainerNet& net, const std::string& candidate) {
  const ContainerNet::State state = net.link_state(kLink);
  if (state.exists && state.up && state.has_address && state.has_default_route) return;
  throw std::runtime_error(
      candidate + ": after ADD the link is " + (state.exists ? "there" : "absent") +
      (state.up ? ", up" : ", not up") +
      (state.has_address ? ", with address" : ", without address") +
      (state.has_default_route ? ", with default route" : ", without default route"));
}

void require_gone(const ContainerNet& net, const std::string& candidate) {
  if (net.link_state(kLink).exists)
    throw std::runtime_error(candidate + ": after DEL the link is still there");
}

class CniCandidate : public Candidate {
 public:
  CniCandidate(const char* name, std::string folder, const std::string& bridge,
               const std::string& subnet)
      : Candidate(name), folder_(std::move(folder)) {
    config_ =
        R"({"cniVersion":"1.0.0","name":"bench-)" + bridge + R"(","type":"bridge","bridge":")" +
        bridge +
        R"(","isDefaultGateway":true,"ipMasq":true,"ipam":{"type":"host-local","dataDir":"/run/bench-ipam","subnet":")" +
        subnet + R"("}})";
  }

  void cycle(const ContainerNet& net, unsigned number, Report& report) override {
    const std::string container = "bench" + std::to_string(number);
    const Outcome added = verb("ADD", container, net, config_);
    report.add("ADD", name(), added.milliseconds);
    require_attached(net, name());
    const std::string with_result =
        config_.substr(0, config_.size() - 1) + ",\"prevResult\":" + added.output + "}";
    report.add("CHECK", name(), verb("CHECK", container, net, with_result).milliseconds);
    report.add("DEL", name(), verb("DEL", container, net, with_result).milliseconds);
    require_gone(net, name());
  }

 private:
  [[nodiscard]] Outcome verb(const char* command, const std::string& container,
                             const ContainerNet& net, const std::string& config) const {
    return run_well({{folder_ + "/bridge"},
                     {std::string("CNI_COMMAND=") + command, "CNI_CONTAINERID=" + container,
                      "CNI_NETNS=" + net.path(), std::string("CNI_IFNAME=") + kLink,
                      "CNI_PATH=" + folder_, kPath},
                     config});
  }

  std::string folder_;
  std::string config_;
};

class KernelCandidate : public Candidate {
 public:
  explicit KernelCandidate(std::string program)
      : Candidate(kKernelOnly), program_(std::move(program)) {
    make_bridge(kBridge, kGateway);
  }

  void cycle(const ContainerNet& net, unsigned number, Report& report) override {
    const std::string address =
        "10.93." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 2);
    report.add("ADD", name(), verb("ADD", net, address));
    require_attached(net, name());
    report.add("DEL", name(), verb("DEL", net, address));
    require_gone(net, name());
  }

 private:
  [[nodiscard]] double verb(const char* command, const ContainerNet& net,
                            const std::string& address) const {
    return run_well({{program_, command, net.path(), kLink, kBridge, address + "/16", "10.93.0.1"},
                     {kPath},
                     ""})
        .milliseconds;
  }

  static constexpr const char* kBridge = "bench-kernel";
  static constexpr const char* kGateway = "10.93.0.1";
  std::string program_;
};

}  // namespace

std::unique_ptr<Candidate> cni_candidate(const char* name, std::string folder, std::string bridge,
                                         std::string subnet) {
  return std::make_unique<CniCandidate>(name, std::move(folder), bridge, subnet);
}

std::unique_ptr<Candidate> kernel_candidate(std::string program) {
  return std::make_unique<KernelCandidate>(std::move(program));
}

}  // namespace unicni::bench
