// Hosts with DHCP servers of several makers, and the daemon that the verbs start.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "integration/host_test.h"

namespace unicni::test {

inline constexpr const char* kDhcpSocket = "/run/cni/dhcp.sock";
inline constexpr const char* kLeases = "/run/unicni/dhcp";

/// Waits until it holds; false: not within that time.
inline bool soon(const std::function<bool()>& holds,
                 std::chrono::milliseconds time = std::chrono::milliseconds(5000)) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

/// Processes of this test's host that run as a dhcp daemon.
inline std::vector<int> dhcp_daemons() {
  namespace fs = std::filesystem;
  std::vector<int> pids;
  std::error_code ignored;
  const auto own = fs::read_symlink("/proc/self/ns/mnt", ignored);
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::string line(12, '\0');
    file.read(line.data(), static_cast<std::streamsize>(line.size()));  // fails if it has ended
    if (!line.starts_with(std::string("dhcp\0daemon\0", 12))) continue;
    if (fs::read_symlink(entry.path() / "ns/mnt", ignored) == own) pids.push_back(std::stoi(name));
  }
  return pids;
}

/// kill -9, and waits until they are gone.
inline void kill_dhcp_daemons() {
  const std::vector<int> pids = dhcp_daemons();
  for (const int pid : pids) ::kill(pid, SIGKILL);
  soon([] { return dhcp_daemons().empty(); });
}

/// Whether the daemon, a process of the name "unicni", has a packet or UDP socket in a namespace.
inline bool daemon_listens_in(int netns) {
  const auto has = [&](const char* kind) {
    return tool({"ss", kind, "-anp"}, netns).out.find("\"unicni\"") != std::string::npos;
  };
  return has("-0") || has("-u");
}

/// While it lives, nobody can write the folder of leases.
class ReadOnlyLeases {
 public:
  ReadOnlyLeases() {
    tool({"mount", "--bind", kLeases, kLeases});
    tool({"mount", "-o", "remount,bind,ro", kLeases});
  }
  ~ReadOnlyLeases() { tool({"umount", kLeases}); }
  ReadOnlyLeases(const ReadOnlyLeases&) = delete;
  ReadOnlyLeases& operator=(const ReadOnlyLeases&) = delete;
};

/// A server in some namespace; it ends with the object.
class DhcpServer {
 public:
  /// dnsmasq on a link. `more`: other options than a range of addresses.
  static DhcpServer dnsmasq(const std::string& link, int netns, const std::string& range,
                            std::vector<std::string> more = {}) {
    const std::string log = "/run/dnsmasq-" + link + ".log";
    std::vector<std::string> argv{"dnsmasq",
                                  "--keep-in-foreground",
                                  "--conf-file=/dev/null",
                                  "--port=0",
                                  "--interface=" + link,
                                  "--bind-interfaces",
                                  "--dhcp-range=" + range,
                                  "--dhcp-leasefile=/run/dnsmasq-" + link + ".leases",
                                  "--pid-file=",
                                  "--no-ping",
                                  "--log-dhcp",
                                  "--user=root",
                                  "--log-facility=" + log};
    argv.insert(argv.end(), more.begin(), more.end());
    return {Spawn{.argv = argv, .netns = netns}, log, "DHCP, sockets bound"};
  }
  /// ISC's dhcpd for the /24 that begins so; `lease` in seconds, in which T1 is half.
  /// `more`: of its configuration, such as the subnet of a link that has another.
  static DhcpServer dhcpd(const std::string& link, int netns, const std::string& net, int lease,
                          const std::string& more = {}) {
    const std::string base = "/run/dhcpd-" + link;
    const std::string time = std::to_string(lease);
    write_file(base + ".conf", "authoritative; ping-check false; min-lease-time " + time +
                                   "; default-lease-time " + time + "; max-lease-time " + time +
                                   ";\nsubnet " + net + ".0 netmask 255.255.255.0 { range " + net +
                                   ".150 " + net + ".199; option routers " + net + ".1; }\n" +
                                   more);
    if (!exists(base + ".leases")) write_file(base + ".leases", "");
    const std::string log = base + ".log";
    return {Spawn{.argv = {"sh", "-c",
                           "exec /usr/sbin/dhcpd -4 -f -d -cf " + base + ".conf -lf " + base +
                               ".leases --no-pid " + link + " > " + log + " 2>&1"},
                  .netns = netns},
            log, "Server starting service"};
  }
  /// Kea with a subnet 10.1.2.0/24; times in seconds.
  static DhcpServer kea(const std::string& link, int netns, const std::string& pool, int lease,
                        int t1, int t2) {
    const std::string base = "/run/kea-" + link;
    const Json config = {
        {"Dhcp4",
         {{"interfaces-config", {{"interfaces", {link}}, {"dhcp-socket-type", "raw"}}},
          {"lease-database", {{"type", "memfile"}, {"persist", false}}},
          {"valid-lifetime", lease},
          {"renew-timer", t1},
          {"rebind-timer", t2},
          {"subnet4",
           {{{"subnet", "10.1.2.0/24"},
             {"interface", link},
             {"pools", {{{"pool", pool}}}},
             {"option-data", {{{"name", "routers"}, {"data", "10.1.2.1"}}}}}}},
          {"loggers",
           {{{"name", "kea-dhcp4"},
             {"severity", "INFO"},
             {"output_options", {{{"output", "stdout"}}}}}}}}}};
    write_file(base + ".json", config.dump());
    const std::string log = base + ".log";
    return {
        Spawn{
            .argv = {"sh", "-c",
                     "exec env KEA_PIDFILE_DIR=/run KEA_LOCKFILE_DIR=/run /usr/sbin/kea-dhcp4 -c " +
                         base + ".json > " + log + " 2>&1"},
            .netns = netns},
        log, "DHCP4_STARTED"};
  }

  /// Kea with a subnet 2001:db8:1::/64; times in seconds. `more`: other keys of the subnet; `name`:
  /// the end of its DUID, hexadecimal.
  static DhcpServer kea6(const std::string& link, int netns, const std::string& pool, int lease,
                         int t1, int t2, const Json& more, const std::string& name) {
    const std::string base = "/run/kea6-" + link;
    Json subnet = {{"id", 1},
                   {"subnet", "2001:db8:1::/64"},
                   {"interface", link},
                   {"pools", {{{"pool", pool}}}},
                   {"option-data",
                    {{{"name", "dns-servers"}, {"data", "2001:db8:1::53"}},
                     {{"name", "domain-search"}, {"data", "six.example.org"}}}}};
    subnet.merge_patch(more);
    const Json config = {
        {"Dhcp6",
         {{"interfaces-config", {{"interfaces", {link}}}},
          {"lease-database", {{"type", "memfile"}, {"persist", false}}},
          {"server-id",
           {{"type", "EN"}, {"enterprise-id", 1}, {"identifier", name}, {"persist", false}}},
          {"preferred-lifetime", lease},
          {"valid-lifetime", lease},
          {"renew-timer", t1},
          {"rebind-timer", t2},
          {"subnet6", {subnet}},
          {"loggers",
           {{{"name", "kea-dhcp6"},
             {"severity", "DEBUG"},
             {"debuglevel", 50},
             {"output_options", {{{"output", "stdout"}}}}}}}}}};
    write_file(base + ".json", config.dump());
    const std::string log = base + ".log";
    return {
        Spawn{
            .argv = {"sh", "-c",
                     "exec env KEA_PIDFILE_DIR=/run KEA_LOCKFILE_DIR=/run /usr/sbin/kea-dhcp6 -c " +
                         base + ".json > " + log + " 2>&1"},
            .netns = netns},
        log, "DHCP6_STARTED"};
  }

  [[nodiscard]] std::string log() const { return exists(log_) ? read_file(log_) : std::string(); }
  /// How often a text stands in its log.
  [[nodiscard]] int count(const std::string& text) const {
    const std::string all = log();
    int count = 0;
    for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) {
      ++count;
    }
    return count;
  }

 private:
  DhcpServer(const Spawn& spawn, std::string log, const std::string& ready) : log_(std::move(log)) {
    std::filesystem::remove(log_);
    process_ = std::make_unique<Running>(spawn);
    EXPECT_TRUE(soon([&] { return this->log().find(ready) != std::string::npos; })) << this->log();
  }
  std::string log_;
  std::unique_ptr<Running> process_;
};

/// A link "up0" of the host, behind which the servers are: the namespace outside(), link "far",
/// 10.1.2.1/24.
class DhcpTest : public HostTest {
 protected:
  DhcpTest() : outside_(container("outside")) {
    tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "far", "netns",
          outside_.path()});
    tool({"ip", "link", "set", "up0", "up"});
    outside_.run({"ip", "link", "set", "far", "up"});
    outside_.run({"ip", "addr", "add", "10.1.2.1/24", "dev", "far"});
  }
  ~DhcpTest() override {
    kill_dhcp_daemons();
    succeeds({"ip", "link", "del", "up0"});
  }
  static Json config(const std::string& changes = "{}") {
    Json config = Json::parse(R"({"cniVersion": "1.1.0", "name": "net", "type": "macvlan",
      "master": "up0", "ipam": {"type": "dhcp", "timeout": 5}})");
    config.merge_patch(Json::parse(changes));
    return config;
  }
  static std::string address_in(const Json& result) {
    return result["ips"][0].value("address", "");
  }
  Container& outside_;
};

}  // namespace unicni::test
