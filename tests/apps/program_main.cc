// A program that goes on after its verbs, as users of the library do: several threads attach, check
// and detach containers of their own at once. Ends with 0 if all went well, else says on stdout
// what didn't. tests/apps/apps_test.cc starts it on a host of its own.
//
// usage: application MODULES THREADS ROUNDS [--ignores-sigchld] [--waits-for-any] [--main-ends]
//   [--plugins FOLDER SPAWNER]  the list's last member is FOLDER/foreign, a program
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/services.h"
#include "chain/chain.h"
#include "module/cache.h"
#include "protocol/version.h"
#include "runtime/reaper.h"
#include "runtime/spawner.h"
#include "unicni/error.h"

namespace unicni::apps {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

struct Options {
  std::string executable;
  std::string modules;
  int threads = 0;
  int rounds = 0;
  std::string plugins = "/nonexistent";
  std::string spawner = "/nonexistent";
  bool ignores_sigchld = false;
  bool waits_for_any = false;
  bool main_ends = false;
  [[nodiscard]] bool has_plugins() const { return plugins != "/nonexistent"; }
};

/// What went wrong, of all threads.
class Complaints : public LogSink {
 public:
  void add(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (count_++ < kMost) std::printf("%s\n", text.c_str());
  }
  [[nodiscard]] bool none() {
    const std::lock_guard lock(mutex_);
    return count_ == 0;
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

/// Counts what it hears, to see that all members and phases come along.
class Counts : public Observer {
 public:
  void on_event(const Event& event) noexcept override {
    ++of_phase_.at(static_cast<std::size_t>(event.phase));
    if (event.member.empty()) ++nameless_;
  }
  void require(Complaints& complaints) const {
    for (const Phase phase :
         {Phase::load, Phase::validate, Phase::module, Phase::ipam, Phase::netlink, Phase::nft}) {
      if (of_phase_.at(static_cast<std::size_t>(phase)) > 0) continue;
      complaints.add("nothing is heard of phase " + std::to_string(static_cast<int>(phase)));
    }
    if (nameless_ > 0) complaints.add(std::to_string(nameless_) + " events name no member");
  }

 private:
  std::array<std::atomic<long>, 7> of_phase_{};
  std::atomic<long> nameless_ = 0;
};

/// A network namespace with a file in /run/netns, as `ip netns add` makes it.
class Container {
 public:
  explicit Container(const std::string& name) : path_("/run/netns/" + name) {
    std::ofstream(path_).flush();
    int error = 0;
    std::thread([&] {
      if (::unshare(CLONE_NEWNET) != 0 ||
          ::mount("/proc/thread-self/ns/net", path_.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        error = errno;
      }
    }).join();
    if (error != 0) throw system_error(error, "make " + path_);
  }
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container() {
    ::umount2(path_.c_str(), MNT_DETACH);
    ::unlink(path_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// What the program owns and core works with.
struct Owned {
  explicit Owned(const Options& options)
      : spawner(options.spawner, options.has_plugins() ? &complaints : nullptr) {}
  Complaints complaints;
  Counts counts;
  runtime::Reaper reaper;
  runtime::Spawner spawner;
  module::Cache modules;
  Services services{
      .log = &complaints, .observer = &counts, .background = &reaper, .programs = &spawner};
};

/// Keeps the result of an ADD.
class Keeper final : public chain::Caller {
 public:
  explicit Keeper(std::string* result) : result_(result) {}
  void on_member(std::string_view) override {}
  void on_result(const std::string& document) override { *result_ = document; }

 private:
  std::string* result_;
};

class Attachment {
 public:
  Attachment(const Options& options, Owned& owned, int number)
      : options_(options), owned_(owned), id_("c" + std::to_string(number)), container_(id_) {
    const std::string port = std::to_string(20'000 + number);
    const std::string last = options.has_plugins() ? R"(, {"type": "foreign"})" : "";
    head_ = R"({"cniVersion": "1.0.0", "name": "mynet", "type": "unicni", "plugins": [
      {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
       "ipam": {"type": "host-local", "subnet": "10.22.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]}},
      {"type": "tuning", "sysctl": {"net.ipv4.conf.all.log_martians": "1"}},
      {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true},
      {"type": "firewall"},
      {"type": "bandwidth", "ingressRate": 100000000, "ingressBurst": 1000000,
       "egressRate": 100000000, "egressBurst": 1000000})" +
            last + R"(],
      "runtimeConfig": {"portMappings": [
        {"hostPort": )" +
            port + R"(, "containerPort": 80, "protocol": "tcp"}]})";
  }

  /// False: a verb failed.
  bool live() {
    std::string result;
    if (!run("ADD", "", &result)) return false;
    const std::string with_result = R"(, "prevResult": )" + result;
    return run("CHECK", with_result, nullptr) && run("DEL", with_result, nullptr);
  }

 private:
  bool run(const std::string& verb, const std::string& more, std::string* result) {
    try {
      auto environment = protocol::read_environment([&](const char* name) -> const char* {
        const std::string_view key(name);
        if (key == "CNI_COMMAND") return verb.c_str();
        if (key == "CNI_CONTAINERID") return id_.c_str();
        if (key == "CNI_NETNS") return container_.path().c_str();
        if (key == "CNI_IFNAME") return "eth0";
        return key == "CNI_PATH" ? options_.plugins.c_str() : nullptr;
      });
      const chain::Request request{*environment->command,
                                   *environment,
                                   protocol::Netconf::parse(head_ + more + "}"),
                                   chain::kChainType,
                                   {options_.executable, {options_.modules}, {options_.plugins}},
                                   {"CNI_CONTAINERID=" + id_, "PATH=/usr/bin:/bin"},
                                   std::chrono::steady_clock::now() + chain::kVerbTime,
                                   owned_.services,
                                   owned_.modules};
      Keeper keeper(result);
      chain::run(request, keeper);
      return true;
    } catch (const std::exception& error) {
      const auto* own = dynamic_cast<const Error*>(&error);
      owned_.complaints.add(id_ + " " + verb + ": " + error.what() +
                            (own == nullptr ? "" : "; " + own->details()));
      return false;
    }
  }

  const Options& options_;
  Owned& owned_;
  std::string id_;
  Container container_;
  std::string head_;
};

std::size_t count_descriptors() {
  const fs::directory_iterator all("/proc/thread-self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// What it is after sockets that only wait for the kernel were closed.
std::size_t settled_descriptors() {
  constexpr int kMost = 20;
  std::size_t count = count_descriptors();
  for (int i = 0; i < kMost; ++i) {
    std::this_thread::sleep_for(milliseconds(2 * sys::kFreeingTime));
    const std::size_t before = std::exchange(count, count_descriptors());
    if (before == count) break;
  }
  return count;
}

void require_no_children(Complaints& complaints) {
  for (const auto& task : fs::directory_iterator("/proc/thread-self/../../task")) {
    std::ifstream file(task.path() / "children");
    for (std::string child; file >> child;) complaints.add("child " + child + " is left");
  }
}

/// As programs do that start others: takes the status of whatever child ends.
class AnyChild {
 public:
  AnyChild(bool wanted, Complaints& complaints) {
    if (!wanted) return;
    thread_ = std::thread([this, &complaints] {
      while (!ends_) {
        const pid_t child = ::waitpid(-1, nullptr, 0);
        if (child > 0) complaints.add("child " + std::to_string(child) + " was ours to wait for");
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    });
  }
  AnyChild(const AnyChild&) = delete;
  AnyChild& operator=(const AnyChild&) = delete;
  ~AnyChild() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

bool run_all(const Options& options) {
  Owned owned(options);
  {
    const AnyChild any(options.waits_for_any, owned.complaints);
    std::vector<std::unique_ptr<Attachment>> attachments;
    for (int i = 0; i < options.threads; ++i) {
      attachments.push_back(std::make_unique<Attachment>(options, owned, i));
    }
    const auto live = [&](int rounds) {
      std::vector<std::thread> threads;
      for (const auto& attachment : attachments) {
        threads.emplace_back([rounds, &attachment] {
          for (int i = 0; i < rounds && attachment->live(); ++i) {
          }
        });
      }
      for (auto& thread : threads) thread.join();
    };
    live(1);  // opens modules and what stays open
    const std::size_t before = settled_descriptors();
    live(options.rounds);
    const std::size_t after = settled_descriptors();
    if (after > before) {
      owned.complaints.add(std::to_string(after) + " descriptors are open, before " +
                           std::to_string(before));
    }
    require_no_children(owned.complaints);
    attachments.clear();
  }
  owned.counts.require(owned.complaints);
  return owned.complaints.none();
}

Options parse(int argc, char** argv) {
  Options options;
  options.executable = fs::read_symlink("/proc/self/exe");
  options.modules = argv[1];
  options.threads = std::atoi(argv[2]);
  options.rounds = std::atoi(argv[3]);
  for (int i = 4; i < argc; ++i) {
    const std::string_view text = argv[i];
    if (text == "--ignores-sigchld") options.ignores_sigchld = true;
    if (text == "--waits-for-any") options.waits_for_any = true;
    if (text == "--main-ends") options.main_ends = true;
    if (text == "--plugins" && i + 2 < argc) {
      options.plugins = argv[++i];
      options.spawner = argv[++i];
    }
  }
  return options;
}

int run(const Options& options) {
  int status = 1;
  try {
    if (run_all(options)) status = 0;
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
  }
  std::fflush(stdout);
  return status;
}

}  // namespace
}  // namespace unicni::apps

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const unicni::apps::Options options = unicni::apps::parse(argc, argv);
  if (options.ignores_sigchld) ::signal(SIGCHLD, SIG_IGN);
  if (!options.main_ends) return unicni::apps::run(options);
  std::thread([options] { ::_exit(unicni::apps::run(options)); }).detach();
  // What pthread_exit(3) ends with, which unwinds before by a library that this program lacks.
  ::syscall(SYS_exit, 0);
}
