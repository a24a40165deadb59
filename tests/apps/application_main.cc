// A program that goes on after its verbs, as users of the library do: several threads attach, check
// and detach containers of their own at once. Ends with 0 if all went well, else says on stdout
// what didn't. tests/apps/apps_test.cc starts it on a host of its own.
//
// usage: application MODULES THREADS ROUNDS [HABIT...]
//   HABIT: see program.h
//   [--plugins FOLDER SPAWNER]  the list's last member is FOLDER/foreign, a program
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/services.h"
#include "chain/chain.h"
#include "module/cache.h"
#include "program.h"
#include "protocol/version.h"
#include "runtime/reaper.h"
#include "runtime/spawner.h"

namespace unicni::apps {
namespace {

struct Options {
  std::string executable;
  std::string modules;
  int threads = 0;
  int rounds = 0;
  std::string plugins = "/nonexistent";
  std::string spawner = "/nonexistent";
  Habits habits;
  [[nodiscard]] bool has_plugins() const { return plugins != "/nonexistent"; }
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

/// What the program owns and core works with.
struct Owned {
  Owned(const Options& options, Complaints& sink)
      : complaints(sink), spawner(options.spawner, options.has_plugins() ? &sink : nullptr) {}
  Complaints& complaints;
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
    return owned_.complaints.attempt(id_ + " " + verb, [&] {
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
    });
  }

  const Options& options_;
  Owned& owned_;
  std::string id_;
  Container container_;
  std::string head_;
};

void live_all(const Options& options, Complaints& complaints) {
  Owned owned(options, complaints);
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
  complaints.require(after <= before, std::to_string(after) + " descriptors are open, before " +
                                          std::to_string(before));
  require_no_children(complaints);
  attachments.clear();
  owned.counts.require(complaints);
}

Options parse(int argc, char** argv) {
  Options options;
  options.executable = std::filesystem::read_symlink("/proc/self/exe");
  options.modules = argv[1];
  options.threads = std::atoi(argv[2]);
  options.rounds = std::atoi(argv[3]);
  for (int i = 4; i < argc; ++i) {
    const std::string_view text = argv[i];
    if (options.habits.read(text)) continue;
    if (text == "--plugins" && i + 2 < argc) {
      options.plugins = argv[++i];
      options.spawner = argv[++i];
    }
  }
  return options;
}

}  // namespace
}  // namespace unicni::apps

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  using namespace unicni::apps;
  const Options options = parse(argc, argv);
  return live(options.habits, [options](Complaints& complaints) { live_all(options, complaints); });
}
