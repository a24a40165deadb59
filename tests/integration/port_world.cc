#include "integration/port_world.h"

#include <sstream>
#include <stdexcept>

namespace unicni::test {
namespace {

Json host_local(int number) {
  const std::string digit = std::to_string(number);
  return {{"type", "host-local"},
          {"ranges", Json::array({Json::array({{{"subnet", "10.1" + digit + ".0.0/24"}}}),
                                  Json::array({{{"subnet", "fd00:1" + digit + "::/64"}}})})}};
}

Json behind(const Json& interface, int number, const Json& mappings, const Json& portmap) {
  Json ports = {{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}};
  ports.update(portmap);
  return {{"cniVersion", "1.0.0"},
          {"name", "net" + std::to_string(number)},
          {"type", "unicni"},
          {"plugins", Json::array({interface, ports, {{"type", "firewall"}}})},
          {"runtimeConfig", {{"portMappings", mappings}}}};
}

}  // namespace

std::string name_of(Forward forward) {
  switch (forward) {
    case Forward::accept:
      return "accept";
    case Forward::drop_nft:
      return "drop-nft";
    case Forward::drop_legacy:
      return "drop-legacy";
    case Forward::firewalld:
      return "firewalld";
  }
  return {};
}

Json published(int host_port, const std::string& host_ip) {
  Json mappings = Json::array();
  for (const char* protocol : {"tcp", "udp"}) {
    Json mapping = {
        {"hostPort", host_port}, {"containerPort", kContainerPort}, {"protocol", protocol}};
    if (!host_ip.empty()) mapping["hostIP"] = host_ip;
    mappings.push_back(mapping);
  }
  return mappings;
}

PortWorld::PortWorld(Forward forward) : outside_(std::make_unique<Container>("outside")) {
  // A link whose link-local address is still being checked asks nobody for his MAC: forwarding to a
  // new bridge would wait for a second or two, in each of many tests.
  const char* no_waiting = "net.ipv6.conf.default.accept_dad=0";
  tool({"sysctl", "-qw", no_waiting});
  outside_->run({"sysctl", "-qw", no_waiting});
  tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns",
        outside_->path()});
  write_file("/run/host.batch", std::string("addr add ") + kHost4 + "/24 dev up0\naddr add " +
                                    kHost6 + "/64 dev up0 nodad\nlink set up0 up\n");
  write_file("/run/outside.batch",
             std::string("link set lo up\naddr add ") + kOutside4 + "/24 dev eth0\naddr add " +
                 kOutside6 + "/64 dev eth0 nodad\nlink set eth0 up\nroute add 10.0.0.0/8 via " +
                 kHost4 + "\nroute add fd00::/8 via " + kHost6 + "\n");
  tool({"ip", "-batch", "/run/host.batch"});
  outside_->run({"ip", "-batch", "/run/outside.batch"});
  const char* flavour = forward == Forward::drop_nft ? "tables-nft" : "tables-legacy";
  if (forward == Forward::drop_nft || forward == Forward::drop_legacy) {
    tool({std::string("ip") + flavour, "-P", "FORWARD", "DROP"});
    tool({std::string("ip6") + flavour, "-P", "FORWARD", "DROP"});
  }
  if (forward == Forward::firewalld) firewalld_ = std::make_unique<Firewalld>();
}

Json PortWorld::list(int number, const Json& mappings, const Json& portmap) {
  const Json bridge = {{"type", "bridge"},
                       {"bridge", "br" + std::to_string(number)},
                       {"isDefaultGateway", true},
                       {"ipMasq", true},
                       {"ipam", host_local(number)}};
  return behind(bridge, number, mappings, portmap);
}

Json PortWorld::ptp_list(int number, const Json& mappings, const Json& portmap) {
  Json ipam = host_local(number);
  ipam["routes"] = Json::array({{{"dst", "0.0.0.0/0"}}, {{"dst", "::/0"}}});
  return behind({{"type", "ptp"}, {"ipMasq", true}, {"ipam", ipam}}, number, mappings, portmap);
}

void PortWorld::kill(const std::string& name) {
  std::erase_if(servers_, [&](const auto& each) {
    return each.first == name || each.first.starts_with(name + ':');
  });
  containers_.erase(name);
}

Container& PortWorld::make(const std::string& name, bool by_port) {
  kill(name);  // its earlier life
  auto& container = containers_[name] = std::make_unique<Container>(name);
  container->run({"ip", "link", "set", "lo", "up"});
  if (!by_port) serve(name, container->fd(), {kContainerPort, kUnpublishedPort});
  for (const int port : {kContainerPort, kUnpublishedPort}) {
    if (by_port) serve(name + ':' + std::to_string(port), container->fd(), {port});
  }
  return *container;
}

Attachment PortWorld::job(const std::string& name, const Json& list,
                          const std::string& if_name) const {
  return {.config = list,
          .netns = containers_.at(name)->path(),
          .container_id = name,
          .if_name = if_name};
}

Attachment PortWorld::attach(const std::string& name, const Json& list, const std::string& if_name,
                             Maker maker) {
  const Attachment made = job(name, list, if_name);
  results_[name] = maker == Maker::ours ? must_add(made) : add_reference(made, list);
  return made;
}

Attachment PortWorld::add(const std::string& name, const Json& list, Maker maker) {
  make(name);
  return attach(name, list, "eth0", maker);
}

/// As a runtime does it, one program after the other.
Json PortWorld::add_reference(const Attachment& job, const Json& list) {
  Json result;
  for (Json plugin : list["plugins"]) {
    plugin["cniVersion"] = list["cniVersion"];
    plugin["name"] = list["name"];
    if (plugin["type"] == "bridge") plugin["hairpinMode"] = true;  // its portmap doesn't care
    if (plugin.contains("capabilities")) plugin["runtimeConfig"] = list["runtimeConfig"];
    if (!result.is_null()) plugin["prevResult"] = result;
    Attachment step = job;
    step.config = plugin;
    step.folder = step.cni_path = kReferenceDir;
    result = must_add(step);
  }
  return result;
}

void PortWorld::remove(const Attachment& job) {
  expect_silent_success(job.del(results_.at(job.container_id)));
  servers_.clear();
  containers_.erase(job.container_id);
}

std::string PortWorld::address(const std::string& name, bool v6) const {
  for (const Json& ip : results_.at(name)["ips"]) {
    const std::string text = ip["address"];
    if ((text.find(':') != std::string::npos) == v6) return text.substr(0, text.find('/'));
  }
  throw std::runtime_error(name + " has no such address");
}

int PortWorld::netns_of(const std::string& name) {
  if (name == "outside") return outside_->fd();
  if (name == "host") return host();
  return containers_.at(name)->fd();
}

void PortWorld::serve(const std::string& name, int netns, const std::vector<int>& ports,
                      const std::vector<Transport>& transports) {
  servers_.emplace_back(name, std::make_unique<KnockServer>(name, netns, ports, transports));
}

std::vector<KnockAnswer> PortWorld::knock(const std::vector<Knock>& knocks,
                                          std::chrono::milliseconds patience) {
  std::vector<const KnockServer*> servers;
  for (const auto& each : servers_) servers.push_back(each.second.get());
  return test::knock(servers, knocks, patience);
}

std::string PortWorld::reaches(const std::string& from, Transport transport, const std::string& to,
                               int port) {
  return knock({{netns_of(from), transport, to, port}})[0].server;
}

std::string PortWorld::foreign_rules() {
  std::istringstream listed(tool({"nft", "list", "ruleset"}).out + tool({"iptables-save"}).out +
                            tool({"iptables-legacy-save"}).out +
                            tool({"ip6tables-legacy-save"}).out);
  std::string text;
  bool ours = false;
  for (std::string line; std::getline(listed, line);) {
    if (line.starts_with("table ")) ours = line.find(" unicni ") != std::string::npos;
    const bool left_out = ours || line.starts_with('#');
    if (line == "}") ours = false;
    if (left_out) continue;
    if (line.starts_with(':')) line.erase(line.find(" ["));
    text += line + '\n';
  }
  return text;
}

}  // namespace unicni::test
