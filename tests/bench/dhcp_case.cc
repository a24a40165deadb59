// bridge with dhcp against dnsmasq: one attachment at a time beside the reference's plugin and its
// daemon, then 100 at once; with an IPv6 address as well, which the reference doesn't ask for; and
// what a daemon with 1,000 leases takes when nothing happens.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "case.h"
#include "network.h"
#include "private_net.h"
#include "program.h"

namespace unicni::bench {
namespace {

constexpr std::size_t kAtOnce = 100;
constexpr unsigned kReferenceRuns = 3;  // seconds each

/// A program that goes on beside the measured ones, and is nobody's child.
class Beside {
 public:
  explicit Beside(const std::string& command)
      : pid_(std::stoi(
            run_well(
                {{find_program("sh"), "-c", command + " > /dev/null 2>&1 & echo $!"}, {kPath}, ""})
                .output)) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() { ::kill(pid_, SIGKILL); }

 private:
  int pid_;
};

void await(const std::string& path) {
  for (int i = 0; i < 500 && !std::filesystem::exists(path); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (!std::filesystem::exists(path)) throw std::runtime_error(path + " doesn't come");
}

constexpr const char* kBridge = "bench-dhcp";
constexpr const char* kBridgeV6 = "bench-dhcp6";

Network dhcp_network(const std::string& plugins, const std::string& name, const std::string& bridge,
                     const std::string& socket) {
  const std::string ipv6 = bridge == kBridgeV6 ? R"("ipv6":"required",)" : "";
  return Network::of_config(
      plugins, "bridge",
      R"({"cniVersion":"1.0.0","name":")" + name + R"(","type":"bridge","bridge":")" + bridge +
          R"(","ipam":{"type":"dhcp",)" + ipv6 + R"("daemonSocketPath":")" + socket + R"("}})");
}

/// On a bridge, with ranges of addresses.
std::string dnsmasq_command(const std::string& bridge, const std::string& ranges) {
  const std::string base = "/run/" + bridge;
  return find_program("dnsmasq") +
         " --keep-in-foreground --conf-file=/dev/null --port=0 --interface=" + bridge +
         " --bind-interfaces --no-ping --dhcp-lease-max=5000 --user=root --dhcp-leasefile=" + base +
         ".leases --pid-file=" + base + ".pid " + ranges;
}

/// One attachment from ADD to DEL. Rows begin with `row`.
void cycle(const Network& network, const char* candidate, const std::string& name,
           const ContainerNet& net, const std::string& row, Report& to) {
  const Outcome added = run_well(network.add(name, net));
  to.add(row + " ADD", candidate, added.milliseconds);
  require_attached(net, candidate);
  to.add(row + " CHECK", candidate, run_well(network.check(name, net, added.output)).milliseconds);
  to.add(row + " DEL", candidate, run_well(network.del(name, net, added.output)).milliseconds);
  require_gone(net, candidate);
}

/// The daemon that our first ADD started.
int daemon_pid(const std::string& socket) {
  return std::stoi(
      run_well({{find_program("pgrep"), "-f", "^dhcp daemon -socketpath " + socket}, {kPath}, ""})
          .output);
}

double resident_kib(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6));
  }
  throw std::runtime_error("no VmRSS of the daemon");
}

/// Seconds of processor time so far.
double used_time(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// A bridge whose link-local address can be spoken from at once, and stays when the last container
/// goes; dnsmasq takes 100 ms more on a host that doesn't forward IPv6.
void make_bridge_v6() {
  make_bridge(kBridgeV6, "10.98.0.1");
  const auto ip = [](std::vector<std::string> words) {
    words.insert(words.begin(), find_program("ip"));
    run_well({words, {kPath}, ""});
  };
  std::ofstream("/proc/sys/net/ipv6/conf/all/forwarding") << 1;
  std::ofstream("/proc/sys/net/ipv6/conf/" + std::string(kBridgeV6) + "/accept_dad") << 0;
  ip({"link", "add", "bench-port", "type", "veth", "peer", "name", "bench-end"});
  ip({"link", "set", "bench-end", "up"});
  ip({"link", "set", "bench-port", "master", kBridgeV6, "up"});
  ip({"addr", "add", "fd00:98::1/64", "dev", kBridgeV6, "nodad"});
}

void measure_ipv6(const Setting& setting, const std::string& socket, Report& report) {
  make_bridge_v6();
  const Beside dnsmasq(dnsmasq_command(kBridgeV6,
                                       "--dhcp-range=10.98.16.0,10.98.63.255,255.255.0.0,1h "
                                       "--dhcp-range=fd00:98::1000,fd00:98::ffff,64,1h"));
  await("/run/" + std::string(kBridgeV6) + ".pid");
  const Network network = dhcp_network(setting.ours, "bench-dhcp-v6", kBridgeV6, socket);
  Report warm_up;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    const ContainerNet net("/run/bench-netns/dhcp-v6-" + std::to_string(i));
    cycle(network, kOurs, "v" + std::to_string(i), net, "dhcp with IPv6",
          i >= Setting::kWarmUps ? report : warm_up);
  }
}

/// As many leases as a big node has pods; a run that only shows that the bench works has fewer.
void measure_leases(const Setting& setting, const Network& network, const std::string& socket,
                    Report& report) {
  constexpr unsigned kMany = 1000;
  constexpr unsigned kFew = 100;
  constexpr unsigned kRunsThatCount = 10;
  const bool counts = setting.runs >= kRunsThatCount;
  const unsigned leases = counts ? kMany : kFew;
  std::vector<ContainerNet> nets;
  for (unsigned from = 0; from < leases; from += kAtOnce) {
    std::vector<Command> commands;
    for (unsigned i = from; i < from + kAtOnce; ++i) {
      nets.emplace_back("/run/bench-netns/dhcp-many" + std::to_string(i));
      commands.push_back(network.add("m" + std::to_string(i), nets.back()));
    }
    run_together(commands);
    for (unsigned i = from; i < from + kAtOnce; ++i) require_attached(nets[i], kOurs);
  }
  const int pid = daemon_pid(socket);
  // The channels of the last ADDs are closed by then.
  std::this_thread::sleep_for(std::chrono::seconds(5));
  const std::chrono::seconds idle(counts ? 20 : 1);
  const double before = used_time(pid);
  std::this_thread::sleep_for(idle);
  const double used = used_time(pid) - before;
  constexpr double kKib = 1024;
  const std::string name = "dhcp, daemon with " + std::to_string(leases) + " leases: ";
  report.judge({name + "memory", Bound::at_most, 64, "MiB"}, resident_kib(pid) / kKib);
  report.judge({name + "processor when idle", Bound::at_most, 1, "%"},
               100 * used / static_cast<double>(idle.count()));
}

}  // namespace

void measure_dhcp(const Setting& setting, Report& report) {
  const std::string our_socket = "/run/bench-dhcp-" + std::to_string(::getpid()) + ".sock";
  const std::string their_socket = "/run/bench-dhcp-reference.sock";
  make_bridge(kBridge, "10.97.0.1");
  const Beside dnsmasq(
      dnsmasq_command(kBridge, "--dhcp-range=10.97.16.0,10.97.63.255,255.255.0.0,1h"));
  await("/run/bench-dhcp.pid");
  const Beside daemon(setting.reference + "/dhcp daemon -socketpath " + their_socket);
  await(their_socket);

  const Network ours = dhcp_network(setting.ours, "bench-dhcp-ours", kBridge, our_socket);
  const Network theirs = dhcp_network(setting.reference, "bench-dhcp-ref", kBridge, their_socket);
  Report warm_up;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    const ContainerNet net("/run/bench-netns/dhcp" + std::to_string(i));
    const bool counts = i >= Setting::kWarmUps;
    cycle(ours, kOurs, "d" + std::to_string(i), net, "dhcp", counts ? report : warm_up);
    if (counts && i < Setting::kWarmUps + std::min(kReferenceRuns, setting.runs)) {
      cycle(theirs, kReference, "r" + std::to_string(i), net, "dhcp", report);
    }
  }

  std::vector<ContainerNet> nets;
  std::vector<Command> commands;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    nets.emplace_back("/run/bench-netns/dhcp-all" + std::to_string(i));
    commands.push_back(ours.add("a" + std::to_string(i), nets.back()));
  }
  const Together all = run_together(commands);
  report.add("dhcp 100 ADD", kOurs, all.milliseconds);
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    require_attached(nets[i], kOurs);
    commands[i] = ours.del("a" + std::to_string(i), nets[i], all.outcomes[i].output);
  }
  report.add("dhcp 100 DEL", kOurs, run_together(commands).milliseconds);
  measure_ipv6(setting, our_socket, report);
  measure_leases(setting, ours, our_socket, report);
  ::kill(daemon_pid(our_socket), SIGKILL);

  report.judge({"dhcp ADD", Bound::at_most, 300, "ms"}, report.median("dhcp ADD", kOurs));
  report.judge_ratio({"dhcp ADD, times faster than the reference", Bound::at_least, 8.0, "x"},
                     report.median("dhcp ADD", kReference), report.median("dhcp ADD", kOurs));
  report.judge({"dhcp ADD with IPv6", Bound::at_most, 300, "ms"},
               report.median("dhcp with IPv6 ADD", kOurs));
  report.judge({"dhcp, 100 ADD at once", Bound::at_most, 3000, "ms"},
               report.median("dhcp 100 ADD", kOurs));
}

}  // namespace unicni::bench
