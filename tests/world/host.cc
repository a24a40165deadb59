#include "world/host.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "support/kernel_state.h"
#include "support/recorder.h"
#include "support/tracer.h"
#include "world/foreign.h"

namespace unicni::test::world {
using namespace std::chrono_literals;
namespace {

constexpr const char* kHead = R"sh(#!/bin/bash
# usage: sudo UNICNI_STAGE=/prefix UNICNI_WORLD=build/dev/tests/world/world_test bash THIS
# Works in network and mount namespaces of its own. UNICNI_WORLD is only needed where a plugin is killed.
[ "$1" = inside ] || exec unshare -n -m --propagation private bash "$0" inside
BIN=${UNICNI_STAGE:?}/libexec/cni; R=/run/results
mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/lib; mkdir -p /var/lib/cni /run/netns $R /run/world/{plugins,others,away}
[ -d /etc/cni ] && mount -t tmpfs tmpfs /etc/cni
# plug VERB FOLDER TYPE CONTAINER NETNS IFNAME CONFIG [PREVRESULT-FILE [RESULT-FILE [KILL-STEP]]]
plug() {
  local config=$7 out code
  [ -n "$8" ] && [ -e $R/$8 ] && config=$(jq -c --slurpfile p $R/$8 '.prevResult=$p[0]' <<< "$config")
  out=$(env -i PATH=$PATH CNI_COMMAND=$1 CNI_CONTAINERID=$4 CNI_NETNS=$5 CNI_IFNAME=$6 CNI_PATH=/run/world/plugins:/run/world/others:$2 \
    ${10:+${UNICNI_WORLD:?} --kill-at=${10}} $2/$3 <<< "$config"); code=$?
  echo "$1 $3 $4 $6: exit $code$([ $code = 0 ] || echo " $out" | tr '\n' ' ')"
  if [ -n "$9" ] && [ $code = 0 ]; then echo "$out" > $R/$9; fi
}
show() {
  nft list ruleset | grep -B2 -A2 'comment "[^"]*/[^"]*/'; ip -o link | grep alias; ls -R /run/unicni /var/lib/cni/networks /run/cni
}
quiet_namespace() { # whatever the defaults of the machine are
  echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
  echo 0 > /proc/sys/net/ipv4/conf/default/rp_filter; echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
  echo 0 > /proc/sys/net/ipv6/icmp/ratelimit
}
namespace() { # NAME [SETTING]
  ip netns add $1; ip -n $1 link set lo up; nsenter --net=/run/netns/$1 bash -c "$(declare -f quiet_namespace); quiet_namespace"
  [ -z "$2" ] || nsenter --net=/run/netns/$1 bash -c 'for key in SETTINGS; do echo '$2' > /proc/sys/$key; done'
}
ip link set lo up; quiet_namespace; namespace outside
echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
)sh";

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + '\'';
}

void write_setting(const std::string& path, const std::string& value) {
  std::ofstream(path) << value;
}

void quiet_namespace() {
  write_setting("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
  write_setting("/proc/sys/net/ipv6/conf/all/accept_dad", "0");
  write_setting("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
  write_setting("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
  write_setting("/proc/sys/net/ipv4/icmp_ratelimit", "0");
  write_setting("/proc/sys/net/ipv6/icmp/ratelimit", "0");
}

std::string host_batch() {
  std::string text = "link add up0 type veth peer name eth0 netns outside\n";
  for (const char* address : {kHost4, kSecondHost4}) {
    text += std::string("addr add ") + address + "/24 dev up0\n";
  }
  text += std::string("addr add ") + kHost6 + "/64 dev up0 nodad\nlink set up0 up\n";
  text += std::string("route add 198.18.0.0/16 via ") + kOutside4 + '\n';
  text += std::string("route add 2001:db8:18::/48 via ") + kOutside6 + '\n';
  for (const std::string& address : kNested4) {
    text += "route add " + address + "/32 via " + kOutside4 + '\n';
  }
  for (const std::string& address : kNested6) {
    text += "route add " + address + "/128 via " + kOutside6 + '\n';
  }
  return text;
}

std::string outside_batch(const Scenario& scenario) {
  std::string text = std::string("addr add ") + kOutside4 + "/24 dev eth0\naddr add " + kOutside6 +
                     "/64 dev eth0 nodad\nlink set eth0 up\n";
  const auto own = [&](const std::string& address) {
    text += "addr add " + address + " dev lo" +
            (address.find(':') != std::string::npos ? " nodad" : "") + '\n';
  };
  for (const NetworkPlan& network : scenario.networks) {
    if (network.gateway == Gateway::router) continue;
    own(outside_of(network.number, false) + "/32");
    own(outside_of(network.number, true) + "/128");
  }
  for (const std::string& address : kNested4) own(address + "/32");
  for (const std::string& address : kNested6) own(address + "/128");
  text +=
      std::string("route add default via ") + kHost4 + "\nroute add default via " + kHost6 + '\n';
  return text;
}

std::string router_name(int network) { return "router" + std::to_string(network); }

/// Its end in the bridge; the other end is the host's, or the router's.
std::string plug_name(int network) { return "plug" + std::to_string(network); }

std::string addresses_for(const std::vector<std::string>& addresses, const std::string& link) {
  std::string text;
  for (const std::string& address : addresses) {
    text += "addr add " + address + " dev " + link +
            (address.find(':') != std::string::npos ? " nodad" : "") + '\n';
  }
  return text;
}

}  // namespace

void in_netns(int netns, const std::function<void()>& work) {
  const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (::setns(netns, CLONE_NEWNET) != 0) throw std::runtime_error("setns");
  work();
  if (::setns(home, CLONE_NEWNET) != 0) throw std::runtime_error("setns back");
  ::close(home);
}

std::string result_name(const Scenario& scenario, int place) {
  const Place& where = scenario.places.at(static_cast<std::size_t>(place));
  return container_name(where.container) + '-' + where.if_name;
}

namespace {

bool has_gateway_beside_a_bridge(const Scenario& scenario) {
  return std::ranges::any_of(scenario.networks, [](const NetworkPlan& network) {
    return network.gateway == Gateway::veth;
  });
}

}  // namespace

Host::Host(const Scenario& scenario) {
  enter_private_host();
  if (exists("/etc/cni")) ::mount("tmpfs", "/etc/cni", "tmpfs", 0, "mode=755");
  netns_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  quiet_namespace();
  // The first plugin switches it on for ever.
  write_setting("/proc/sys/net/ipv4/ip_forward", "1");
  write_setting("/proc/sys/net/ipv6/conf/all/forwarding", "1");
  if (has_gateway_beside_a_bridge(scenario)) no_br_netfilter();
  outside_ = std::make_unique<Container>("outside");
  in_netns(outside_->fd(), [] {
    quiet_namespace();
    tool({"ip", "link", "set", "lo", "up"});
  });
  batch(host_batch(), -1, "");
  batch(outside_batch(scenario), outside_->fd(), "outside");
  outside_server_ =
      std::make_unique<KnockServer>("outside", outside_->fd(), std::vector{kOutsidePort});
  for (const char* folder : kForeignFolders) std::filesystem::create_directories(folder);
  for (const NetworkPlan& network : scenario.networks) {
    const std::string type = program_of(network);
    if (type.empty()) continue;
    folders_[type] = 0;
    const std::string path = std::string(kForeignFolders[0]) + '/' + type;
    install_script(path, foreign_program(type));
    shell("cat > " + path + " << 'PROGRAM'\n" + foreign_program(type) + "PROGRAM\nchmod +x " +
          path);
  }
}

void Host::batch(const std::string& text, int netns, const std::string& name) {
  write_file("/run/world/batch", text);
  tool({"ip", "-batch", "/run/world/batch"}, netns);
  shell("ip " + (name.empty() ? "" : "-n " + name + ' ') + "-batch - << 'END'\n" + text + "END");
}

std::string Host::script_head() {
  std::string head = kHead;
  std::string settings;
  for (const std::string& key : kSettings) settings += (settings.empty() ? "" : " ") + key;
  const std::string_view place = "SETTINGS";
  return head.replace(head.find(place), place.size(), settings);
}

void Host::add_namespace(int container, const std::string& setting) {
  const std::string name = container_name(container);
  shell("namespace " + name + ' ' + setting);
  Inhabitant& inhabitant = containers_[container];
  inhabitant.netns = std::make_unique<Container>(name);
  for (const int port : kContainerPorts) {
    inhabitant.servers.push_back(std::make_unique<KnockServer>(
        name + ':' + std::to_string(port), inhabitant.netns->fd(), std::vector{port}));
  }
  // Who listens already keeps its queue; one of net.core.somaxconn = 20 loses callers.
  in_netns(inhabitant.netns->fd(), [&] {
    quiet_namespace();
    for (const std::string& key : kSettings) write_setting("/proc/sys/" + key, setting);
    tool({"ip", "link", "set", "lo", "up"});
  });
}

/// The kernel takes down a namespace's links some time after its last name went. Plugins of ours
/// are called at once; those of others, which know no better than to fail, after that.
void Host::remove_namespace(int container) {
  const std::string digit = std::to_string(container);
  shell("ip netns del " + container_name(container));
  shell("while ip -o link | grep -q ' wv.c" + digit + "'; do sleep 0.01; done");
  containers_.erase(container);
  const auto is_left = [&](const std::string& link) {
    return link.starts_with("wv") && link.substr(3).starts_with("c" + digit);
  };
  const auto latest = std::chrono::steady_clock::now() + 10s;
  while (std::ranges::any_of(link_names(netns_), is_left)) {
    if (std::chrono::steady_clock::now() > latest) {
      throw std::runtime_error("a link of " + container_name(container) + "'s is still there");
    }
    std::this_thread::sleep_for(5ms);
  }
}

Output Host::run(const Plugin& plugin, const std::string& name) {
  Attachment job{.config = plugin.config,
                 .netns = plugin.netns,
                 .container_id = plugin.container,
                 .if_name = plugin.if_name,
                 .type = plugin.type};
  std::string folder = "$BIN";
  std::string bin = bin_dir();
  if (plugin.by_reference) folder = bin = kReferenceDir;
  job.folder = bin;
  if (is_program(plugin.type)) folder = job.folder = kForeignFolders[folders_[plugin.type]];
  job.cni_path = std::string(kForeignFolders[0]) + ':' + kForeignFolders[1] + ':' + bin;
  std::string line = "plug " + plugin.verb + ' ' + folder + ' ' + plugin.type + ' ' +
                     (plugin.container.empty() ? "''" : plugin.container) + ' ' +
                     (plugin.netns.empty() ? "''" : plugin.netns) + ' ' +
                     (plugin.if_name.empty() ? "''" : plugin.if_name) + ' ' +
                     quoted(plugin.config.dump());
  const auto word = [](const std::string& text) { return ' ' + (text.empty() ? "''" : text); };
  if (!plugin.result.empty() || !name.empty() || plugin.kill) line += word(plugin.result);
  if (!name.empty() || plugin.kill) line += word(name);
  if (plugin.kill) line += word(std::to_string(plugin.kill->step));
  shell(line);
  Json request = plugin.config;
  if (!plugin.result.empty()) {
    const auto found = results_.find(plugin.result);
    if (found != results_.end()) request["prevResult"] = found->second;
  }
  const Spawn spawn = job.spawn(plugin.verb, request);
  Output output = plugin.kill ? kill_at(spawn, plugin.kill->step).output : unicni::test::run(spawn);
  if (output.ok() && !name.empty()) {
    Json result = Json::parse(output.out, nullptr, false);
    if (!result.is_discarded()) results_[name] = std::move(result);
  }
  return output;
}

Json Host::result(const std::string& name) const {
  const auto found = results_.find(name);
  return found != results_.end() ? found->second : Json();
}

void Host::copy_result(const std::string& from, const std::string& to) {
  shell("cp $R/" + from + " $R/" + to);
  results_[to] = results_.at(from);
}

/// With it, what is bridged to a gateway of the host's that is no bridge meets NAT on the way: it
/// is masqueraded for a bridge that has no address, or gets the host's own address back before the
/// host has seen it. Both are lost, with the reference as well.
void Host::no_br_netfilter() {
  for (const char* family : {"iptables", "ip6tables"}) {
    const std::string key = std::string("/proc/sys/net/bridge/bridge-nf-call-") + family;
    if (!exists(key)) continue;
    write_setting(key, "0");
    shell("echo 0 > " + key);
  }
}

void Host::flush_rules() {
  shell("nft flush ruleset");
  tool({"nft", "flush", "ruleset"});
}

void Host::move_program(const std::string& type, int to) {
  int& folder = folders_.at(type);
  if (folder == to) return;
  const std::string file = '/' + type;
  const std::string from_path = kForeignFolders[folder] + file;
  const std::string to_path = kForeignFolders[to] + file;
  shell("mv " + from_path + ' ' + to_path);
  std::filesystem::rename(from_path, to_path);
  folder = to;
}

void Host::prepare_gateway(const NetworkPlan& network, const Subnets& subnets) {
  if (network.gateway == Gateway::bridge) return;
  const std::string plug = plug_name(network.number);
  if (find_link(plug)) return;
  const auto gateways = gateways_of(network, subnets);
  if (network.gateway == Gateway::veth) {
    const std::string link = "gw" + std::to_string(network.number);
    batch("link add " + plug + " up type veth peer name " + link + '\n' +
              addresses_for(gateways, link) + "link set " + link + " up\n",
          -1, "");
    return;
  }
  const std::string name = router_name(network.number);
  shell("namespace " + name);
  Inhabitant& router = routers_[network.number];
  router.netns = std::make_unique<Container>(name);
  const int netns = router.netns->fd();
  in_netns(netns, [] {
    quiet_namespace();
    tool({"ip", "link", "set", "lo", "up"});
  });
  batch("link add " + plug + " up type veth peer name eth0 netns " + name + '\n', -1, "");
  batch(addresses_for(gateways, "eth0") +
            addresses_for({outside_of(network.number, false) + "/32",
                           outside_of(network.number, true) + "/128"},
                          "lo") +
            "link set eth0 up\n",
        netns, name);
  router.servers.push_back(std::make_unique<KnockServer>(name, netns, std::vector{kOutsidePort}));
}

void Host::plug_gateway(const NetworkPlan& network) {
  if (network.gateway == Gateway::bridge) return;
  const auto plug = find_link(plug_name(network.number));
  if (!plug || plug->contains("master") || !find_link(bridge_name(network.number))) return;
  batch("link set " + plug_name(network.number) + " master " + bridge_name(network.number) + '\n',
        -1, "");
}

void Host::remove_bridge(const NetworkPlan& network) {
  for (const std::string& link : {bridge_name(network.number), plug_name(network.number)}) {
    shell("ip link del " + link + " 2> /dev/null");
    static_cast<void>(succeeds({"ip", "link", "del", link}));
  }
  if (routers_.erase(network.number) != 0) shell("ip netns del " + router_name(network.number));
}

void Host::comment(const std::string& text) { shell("# " + text); }

std::vector<KnockAnswer> Host::knock(const std::vector<Knock>& knocks) {
  std::vector<const KnockServer*> servers = {outside_server_.get()};
  for (const auto& [number, inhabitant] : containers_) {
    for (const auto& server : inhabitant.servers) servers.push_back(server.get());
  }
  for (const auto& [network, router] : routers_) {
    for (const auto& server : router.servers) servers.push_back(server.get());
  }
  return test::knock(servers, knocks, std::chrono::milliseconds(1500));
}

}  // namespace unicni::test::world
