// A user of unicni/runtime.h: several threads attach, check and detach containers of their own
// while others collect and ask for the status. Ends with 0 if all went well, else says on stdout
// what didn't. tests/apps/user_test.cc starts it on a host of its own.
//
// usage: user EXECUTABLE PLUGINS MODULES (process|in-process) THREADS ROUNDS [HABIT...] [--foreign]
//             [--iptables]
//   HABIT: see program.h; --foreign: the list's last member is the program PLUGINS/foreign;
//   --iptables: members that can work with iptables do
// Without ("") EXECUTABLE and MODULES, the Runtime has to find them.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "program.h"
#include "unicni/runtime.h"

namespace unicni::apps {
namespace {

namespace fs = std::filesystem;

/// What plugins read is more than a pipe takes, so one that doesn't read breaks it.
constexpr std::size_t kPadding = 70'000;

std::string network(bool has_foreign, bool by_iptables) {
  const std::string backend = by_iptables ? R"(, "backend": "iptables")" : "";
  const std::string last =
      has_foreign ? R"(, {"type": "foreign", "padding": ")" + std::string(kPadding, 'x') + "\"}"
                  : "";
  return R"({"cniVersion": "1.1.0", "name": "mynet", "plugins": [
  // as on a node
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "subnet": "10.22.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "tuning", "sysctl": {"net.ipv4.conf.all.log_martians": "1"}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true)" +
         backend + R"(},
  {"type": "firewall")" +
         backend + R"(},
  {"type": "bandwidth", "ingressRate": 100000000, "ingressBurst": 1000000,
   "egressRate": 100000000, "egressBurst": 1000000})" +
         last + "]}";
}

class User {
 public:
  User(RuntimeOptions options, const std::string& network, int threads, Complaints& complaints)
      : runtime_(std::move(options)),
        network_(Runtime::parse_network(network)),
        complaints_(complaints) {
    for (int i = 0; i < threads; ++i) {
      const std::string id = "c" + std::to_string(i);
      containers_.push_back(std::make_unique<Container>(id));
      confs_.push_back({id,
                        containers_.back()->path(),
                        "eth0",
                        {{"IgnoreUnknown", "1"}},
                        R"({"portMappings": [{"hostPort": )" + std::to_string(20'000 + i) +
                            R"(, "containerPort": 80, "protocol": "tcp"}]})"});
      valid_.push_back({id, "eth0"});
    }
  }

  void live(int rounds) {
    (void)runtime_.validate(network_);
    // Makes the tables. A STATUS that sees elements remembered and no table yet says that it was
    // gone.
    attach_and_detach(0);
    std::vector<std::thread> threads;
    std::atomic<bool> ends = false;
    for (int i = 0; i < static_cast<int>(containers_.size()); ++i) {
      threads.emplace_back([this, rounds, i] {
        for (int round = 0; round < rounds && attach_and_detach(i); ++round) {
        }
      });
    }
    std::thread others([&] {
      while (!ends && ask_and_collect()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
    for (auto& thread : threads) thread.join();
    ends = true;
    others.join();
    complaints_.require(runtime_.attachments().empty(), "attachments are left in the cache");
    complaints_.require(fs::is_empty("/var/lib/cni/results"), "files are left in the cache");
    complaints_.require(fs::is_empty("/run/unicni/locks"), "locks are left");
  }

 private:
  bool attach_and_detach(int i) {
    const RuntimeConf& conf = confs_[static_cast<std::size_t>(i)];
    const bool is_attached = complaints_.attempt("ADD of " + conf.container_id, [&] {
      const AttachResult result = runtime_.add(network_, conf);
      complaints_.require(result.result.ips.size() == 1, "no address: " + result.text);
      complaints_.require(result.result.interfaces.size() == 4, "interfaces: " + result.text);
      const auto cached = runtime_.find_result(network_, conf);
      complaints_.require(cached && cached->result == result.result,
                          "the cache has another result");
    });
    return is_attached && complaints_.attempt("CHECK of " + conf.container_id, [&] {
      runtime_.check(network_, conf);
    }) && complaints_.attempt("second ADD of " + conf.container_id, [&] {
      require_refused(conf);
    }) && complaints_.attempt("CHECK after it of " + conf.container_id, [&] {
      runtime_.check(network_, conf);
    }) && complaints_.attempt("DEL of " + conf.container_id, [&] {
      runtime_.del(network_, conf);
    }) && complaints_.attempt("second DEL of " + conf.container_id, [&] {
      runtime_.del(network_, conf);
    });
  }
  /// Nothing of the attachment may suffer.
  void require_refused(const RuntimeConf& conf) {
    try {
      runtime_.add(network_, conf);
      complaints_.add(conf.container_id + " was attached twice");
    } catch (const Error& error) {
      complaints_.require(error.msg().find("is attached already") != std::string::npos,
                          "another error: " + error.msg());
    }
  }
  bool ask_and_collect() {
    return complaints_.attempt("STATUS", [&] { runtime_.status(network_); }) &&
           complaints_.attempt("GC", [&] { runtime_.gc(network_, valid_); }) &&
           complaints_.attempt("list", [&] { (void)runtime_.attachments(); });
  }

  const Runtime runtime_;
  const NetworkConfig network_;
  Complaints& complaints_;
  std::vector<std::unique_ptr<Container>> containers_;
  std::vector<RuntimeConf> confs_;
  std::vector<Attachment> valid_;
};

}  // namespace
}  // namespace unicni::apps

/// What opener_main.cc calls.
extern "C" int run_user(int argc, char** argv) {
  if (argc < 7) return 2;
  using namespace unicni;
  apps::Habits habits;
  bool has_foreign = false;
  bool by_iptables = false;
  for (int i = 7; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--foreign") has_foreign = true;
    if (std::string_view(argv[i]) == "--iptables") by_iptables = true;
    habits.read(argv[i]);
  }
  const std::string network = apps::network(has_foreign, by_iptables);
  RuntimeOptions options;
  options.executable = argv[1];
  options.plugin_folders = {argv[2]};
  if (*argv[3] != 0) options.module_folders = {argv[3]};
  options.isolation =
      std::string_view(argv[4]) == "process" ? Isolation::process : Isolation::in_process;
  const int threads = std::atoi(argv[5]);
  const int rounds = std::atoi(argv[6]);
  return apps::live(habits, [=](apps::Complaints& complaints) mutable {
    options.log = &complaints;
    apps::User user(options, network, threads, complaints);
    user.live(rounds);
  });
}

int main(int argc, char** argv) { return run_user(argc, argv); }
