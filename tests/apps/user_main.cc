// A user of unicni/runtime.h: several threads attach, check and detach containers of their own
// while others collect and ask for the status. Ends with 0 if all went well, else says on stdout
// what didn't. tests/apps/user_test.cc starts it on a host of its own.
//
// usage: user EXECUTABLE PLUGINS MODULES (process|in-process) THREADS ROUNDS
// Without ("") EXECUTABLE and MODULES, the Runtime has to find them.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "unicni/runtime.h"

namespace unicni::apps {
namespace {

namespace fs = std::filesystem;

/// What went wrong, of all threads.
class Complaints final : public LogSink {
 public:
  void add(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (count_++ < kMost) std::printf("%s\n", text.c_str());
  }
  [[nodiscard]] bool none() {
    const std::lock_guard lock(mutex_);
    return count_ == 0;
  }
  void require(bool holds, const std::string& text) {
    if (!holds) add(text);
  }
  /// False: `work` threw.
  bool attempt(const std::string& what, const std::function<void()>& work) {
    try {
      work();
      return true;
    } catch (const Error& error) {
      add(what + ": " + error.msg() + "; " + error.details());
    } catch (const std::exception& error) {
      add(what + ": " + error.what());
    }
    return false;
  }
  void log(LogLevel, std::string_view member, std::string_view text) noexcept override {
    add(std::string(member).append(" warns: ").append(text));
  }
  void pass_on(std::string_view bytes) noexcept override {
    add(std::string("a program says: ").append(bytes));
  }

 private:
  static constexpr int kMost = 20;
  std::mutex mutex_;
  int count_ = 0;
};

/// A network namespace with a file in /run/netns, as `ip netns add` makes it.
class Container {
 public:
  explicit Container(std::string id) : id_(std::move(id)), path_("/run/netns/" + id_) {
    std::ofstream(path_).flush();
    std::thread([&] {
      is_made_ = ::unshare(CLONE_NEWNET) == 0 &&
                 ::mount("/proc/thread-self/ns/net", path_.c_str(), nullptr, MS_BIND, nullptr) == 0;
    }).join();
    if (!is_made_) throw std::runtime_error("make " + path_);
  }
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container() {
    ::umount2(path_.c_str(), MNT_DETACH);
    ::unlink(path_.c_str());
  }
  [[nodiscard]] RuntimeConf conf(int number) const {
    return {id_,
            path_,
            "eth0",
            {{"IgnoreUnknown", "1"}},
            R"({"portMappings": [{"hostPort": )" + std::to_string(20'000 + number) +
                R"(, "containerPort": 80, "protocol": "tcp"}]})"};
  }

 private:
  std::string id_;
  std::string path_;
  bool is_made_ = false;
};

constexpr const char* kNetwork = R"({"cniVersion": "1.1.0", "name": "mynet", "plugins": [
  // as on a node
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "subnet": "10.22.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "tuning", "sysctl": {"net.ipv4.conf.all.log_martians": "1"}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true},
  {"type": "firewall"},
  {"type": "bandwidth", "ingressRate": 100000000, "ingressBurst": 1000000,
   "egressRate": 100000000, "egressBurst": 1000000}]})";

class User {
 public:
  User(RuntimeOptions options, int threads, Complaints& complaints)
      : runtime_(std::move(options)), complaints_(complaints) {
    for (int i = 0; i < threads; ++i) {
      containers_.push_back(std::make_unique<Container>("c" + std::to_string(i)));
      valid_.push_back({"c" + std::to_string(i), "eth0"});
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
    const RuntimeConf conf = containers_[static_cast<std::size_t>(i)]->conf(i);
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
  const NetworkConfig network_ = Runtime::parse_network(kNetwork);
  Complaints& complaints_;
  std::vector<std::unique_ptr<Container>> containers_;
  std::vector<Attachment> valid_;
};

}  // namespace
}  // namespace unicni::apps

/// What opener_main.cc calls.
extern "C" int run_user(int argc, char** argv) {
  if (argc != 7) return 2;
  using namespace unicni;
  apps::Complaints complaints;
  RuntimeOptions options;
  options.executable = argv[1];
  options.plugin_folders = {argv[2]};
  if (*argv[3] != 0) options.module_folders = {argv[3]};
  options.isolation =
      std::string_view(argv[4]) == "process" ? Isolation::process : Isolation::in_process;
  options.log = &complaints;
  complaints.attempt("the whole", [&] {
    apps::User user(options, std::atoi(argv[5]), complaints);
    user.live(std::atoi(argv[6]));
  });
  return complaints.none() ? 0 : 1;
}

int main(int argc, char** argv) { return run_user(argc, argv); }
