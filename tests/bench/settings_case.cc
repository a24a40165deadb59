// What an administrator's settings cost an ADD: the list in one process, written inline, named as a
// chain, and under policies.
#include <sys/mount.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "case.h"
#include "list_network.h"
#include "private_net.h"

namespace unicni::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRow = "list ADD in one process";
constexpr const char* kInline = "inline";
constexpr const char* kChain = "chain";
constexpr const char* kPolicies = "policies";
constexpr const char* kFolder = "/run/bench-settings";
constexpr const char* kSettings = "/etc/unicni";
constexpr int kFirstPort = 40000;

constexpr const char* kRules = R"(rules:
  - name: sizes
    match: {network: "set-*", type: bridge}
    defaults: {mtu: 1400}
    require: {mtu: {min: 1280, max: 9000}, hostPort: {min: 30000, max: 60000}}
  - name: tenants
    match: {namespace: "tenant-*"}
    require: {hostPort: {min: 30000, max: 32767}, egressRate: {max: 100M}}
  - name: forbidden
    match: {namespace: forbidden}
    deny: "networking is not offered here"
modules: {deny: [dhcp], exec: never}
)";

void mount_or_fail(const char* source, const char* target, const char* type, unsigned long flags,
                   const char* data) {
  if (::mount(source, target, type, flags, data) != 0)
    throw std::system_error(errno, std::generic_category(), std::string("mount ") + target);
}

/// An /etc of the benchmark's own, with what the machine has. Ends with the mount namespace.
void keep_etc() {
  const std::string folder = kFolder;
  fs::create_directories(folder + "/up");
  fs::create_directories(folder + "/scratch");
  mount_or_fail(
      "overlay", "/etc", "overlay", 0,
      ("lowerdir=/etc,upperdir=" + folder + "/up,workdir=" + folder + "/scratch").c_str());
  fs::remove_all(kSettings);
  fs::create_directory(kSettings);
}

/// While it lives, a folder stands where the settings do.
class Settings {
 public:
  explicit Settings(const std::string& folder) {
    mount_or_fail(folder.c_str(), kSettings, nullptr, MS_BIND, nullptr);
  }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
  ~Settings() { ::umount2(kSettings, MNT_DETACH); }
};

struct Place {
  const char* candidate;
  HostNet host;
  ListNetwork network;
  std::string settings;
};

void cycle(const Place& place, unsigned number, Report& report) {
  const std::string container = "settings" + std::to_string(number);
  const ContainerNet net("/run/bench-netns/" + container);
  const Server server(net);
  const int port = kFirstPort + static_cast<int>(number % 10000);
  const auto inside = place.host.enter();
  const Settings settings(place.settings);
  const ListNetwork::Attached attached = place.network.add(container, net, port);
  report.add(kRow, place.candidate, attached.milliseconds);
  require_list(place.network, net, port, attached.result, place.candidate, true);
  static_cast<void>(place.network.del(container, net, port, attached.result));
  require_no_list(place.network, net, port, attached.result, place.candidate, true);
}

void write_file(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text;
}

}  // namespace

void measure_settings(const Setting& setting, Report& report) {
  const ListNetwork described(setting.ours, "set-chain", 122, false);
  const std::string folder = kFolder;
  const Place places[] = {
      {kInline, HostNet("/run/bench-netns/settings-host-inline"),
       ListNetwork(setting.ours, "set-inline", 121, true), folder + "/none"},
      {kChain, HostNet("/run/bench-netns/settings-host-chain"), described.by_chain(),
       folder + "/chain"},
      {kPolicies, HostNet("/run/bench-netns/settings-host-policies"),
       ListNetwork(setting.ours, "set-policies", 123, true), folder + "/policies"}};
  constexpr unsigned kPlaces = 3;
  keep_etc();
  fs::create_directories(folder + "/none");
  write_file(folder + "/chain/chains/set-chain.yaml", described.list_text());
  write_file(folder + "/policies/policy.d/10-rules.yaml", kRules);
  for (const Place& place : places) {
    const auto inside = place.host.enter();
    run_well({{find_program("ip"), "link", "set", "lo", "up"}, {}, ""});
  }
  Report warm_up;  // compiles
  unsigned number = 0;
  for (unsigned i = 0; i < setting.runs + Setting::kWarmUps; ++i) {
    for (unsigned turn = 0; turn < kPlaces; ++turn)
      cycle(places[(i + turn) % kPlaces], number++, i < Setting::kWarmUps ? warm_up : report);
  }
  for (const char* candidate : {kChain, kPolicies}) {
    report.judge(
        {std::string(candidate) + ": ADD over the same list inline", Bound::at_most, 0.5, "ms"},
        report.median(kRow, candidate) - report.median(kRow, kInline));
  }
}

}  // namespace unicni::bench
