#include "list_network.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "network.h"

namespace unicni::bench {
namespace {

constexpr const char* kWithoutIp6tables = "/run/bench-path";
constexpr int kServerPort = 80;
constexpr const char* kSomaxconn = "517";  // nobody's default

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in address_of(const std::string& text, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  return address;
}

/// The first address of a result, without its prefix.
std::string container_address(const std::string& result) {
  constexpr std::string_view kKey = "\"address\": \"";
  const std::size_t at = result.find(kKey);
  if (at == std::string::npos) throw std::runtime_error("no address in " + result);
  const std::size_t begin = at + kKey.size();
  return result.substr(begin, result.find('/', begin) - begin);
}

std::string ruleset() {
  return run_well({{find_program("nft"), "list", "ruleset"}, {kPath}, ""}).output;
}

bool names(const std::string& text, const std::string& address) {
  for (std::size_t at = text.find(address); at != std::string::npos;
       at = text.find(address, at + 1)) {
    const char next = at + address.size() < text.size() ? text[at + address.size()] : ' ';
    if (next < '0' || next > '9') return true;
  }
  return false;
}

/// Whether FORWARD knows the address: in the reference's chain, or in our set.
bool is_permitted(const std::string& rules, const std::string& address) {
  for (const char* block : {"chain CNI-FORWARD {", "set att4 {"}) {
    const std::size_t begin = rules.find(block);
    if (begin == std::string::npos) continue;
    if (names(rules.substr(begin, rules.find("\n\t}", begin) - begin), address)) return true;
  }
  return false;
}

std::string somaxconn_of(const ContainerNet& net) {
  const HostNet::Inside inside(net.path());
  std::string value;
  std::ifstream("/proc/sys/net/core/somaxconn") >> value;
  return value;
}

bool has_ifb() {
  return !run_well({{find_program("ip"), "-o", "link", "show", "type", "ifb"}, {kPath}, ""})
              .output.empty();
}

void require(bool holds, const std::string& who, const std::string& what) {
  if (!holds) throw std::runtime_error(who + ": " + what);
}

}  // namespace

ListNetwork::ListNetwork(std::string folder, const std::string& bridge, int second_byte,
                         bool one_process)
    : folder_(std::move(folder)), name_(bridge), second_byte_(second_byte) {
  std::filesystem::create_directories(kWithoutIp6tables);
  const std::string link = std::string(kWithoutIp6tables) + "/iptables";
  if (!std::filesystem::exists(link))
    std::filesystem::create_symlink(find_program("iptables"), link);
  const std::vector<Plugin> list = {
      {"bridge", R"("type":"bridge","bridge":")" + bridge +
                     R"(","isDefaultGateway":true,"ipMasq":true,"ipam":{"type":"host-local",)" +
                     R"("dataDir":"/run/bench-ipam","subnet":"10.)" + std::to_string(second_byte) +
                     R"(.0.0/16"})"},
      {"tuning",
       std::string(R"("type":"tuning","sysctl":{"net.core.somaxconn":")") + kSomaxconn + "\"}"},
      {"portmap", R"("type":"portmap","capabilities":{"portMappings":true},"snat":true)"},
      {"firewall", R"("type":"firewall")"},
      {"bandwidth", R"("type":"bandwidth","ingressRate":1000000000,"ingressBurst":10000000,)"
                    R"("egressRate":1000000000,"egressBurst":10000000)"}};
  if (!one_process) {
    plugins_ = list;
    return;
  }
  std::string members = R"("type":"unicni","plugins":[)";
  for (const Plugin& plugin : list) {
    members += (&plugin == list.data() ? "{" : ",{") + plugin.members + '}';
  }
  plugins_ = {{"unicni", members + ']'}};
}

std::string ListNetwork::list_text() const {
  std::string text = R"({"cniVersion":"1.0.0","name":")" + name_ + R"(","plugins":[)";
  for (const Plugin& plugin : plugins_) {
    text += (&plugin == plugins_.data() ? "{" : ",{") + plugin.members + '}';
  }
  return text + "]}";
}

ListNetwork ListNetwork::by_chain() const {
  ListNetwork network = *this;
  network.plugins_ = {{"unicni", R"("type":"unicni","chain":")" + name_ +
                                     R"(","capabilities":{"portMappings":true})"}};
  return network;
}

std::string ListNetwork::capability_args(int port) {
  return R"({"portMappings":[{"hostPort":)" + std::to_string(port) + R"(,"containerPort":)" +
         std::to_string(kServerPort) + R"(,"protocol":"tcp"}]})";
}

std::string ListNetwork::gateway() const { return "10." + std::to_string(second_byte_) + ".0.1"; }

Command ListNetwork::command(const char* verb, const std::string& container,
                             const ContainerNet& net, const Plugin& plugin, int port,
                             const std::string& prev_result) const {
  std::string config = R"({"cniVersion":"1.0.0","name":")" + name_ + "\"," + plugin.members;
  if (plugin.type == "portmap" || plugin.type == "unicni") {
    config += ",\"runtimeConfig\":" + capability_args(port);
  }
  if (!prev_result.empty()) config += ",\"prevResult\":" + prev_result;
  return {
      {folder_ + "/" + plugin.type},
      {std::string("CNI_COMMAND=") + verb, "CNI_CONTAINERID=" + container,
       "CNI_NETNS=" + net.path(), std::string("CNI_IFNAME=") + kLink, "CNI_PATH=" + folder_, kPath},
      config + '}'};
}

ListNetwork::Attached ListNetwork::add(const std::string& container, const ContainerNet& net,
                                       int port) const {
  Attached attached;
  for (const Plugin& plugin : plugins_) {
    Outcome outcome = run_well(command("ADD", container, net, plugin, port, attached.result));
    attached.milliseconds += outcome.milliseconds;
    attached.result = std::move(outcome.output);
  }
  return attached;
}

double ListNetwork::check(const std::string& container, const ContainerNet& net, int port,
                          const std::string& result) const {
  double sum = 0;
  for (const Plugin& plugin : plugins_) {
    Command check = command("CHECK", container, net, plugin, port, result);
    if (plugin.type == "portmap")
      check.environment.back() = std::string("PATH=") + kWithoutIp6tables;
    sum += run_well(check).milliseconds;
  }
  return sum;
}

double ListNetwork::del(const std::string& container, const ContainerNet& net, int port,
                        const std::string& result) const {
  double sum = 0;
  for (auto plugin = plugins_.rbegin(); plugin != plugins_.rend(); ++plugin) {
    sum += run_well(command("DEL", container, net, *plugin, port, result)).milliseconds;
  }
  return sum;
}

Server::Server(const ContainerNet& net) {
  const HostNet::Inside inside(net.path());
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) fail("socket");
  const sockaddr_in any = address_of("0.0.0.0", kServerPort);
  constexpr int kBacklog = 16;
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
      ::listen(socket_, kBacklog) != 0) {
    const int error = errno;
    ::close(socket_);
    throw std::system_error(error, std::generic_category(), "listen in " + net.path());
  }
}

Server::~Server() { ::close(socket_); }

bool can_connect(const std::string& address, int port) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client < 0) fail("socket");
  const sockaddr_in to = address_of(address, port);
  constexpr int kPatience = 1000;  // milliseconds
  bool connected = ::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  if (!connected && errno == EINPROGRESS) {
    pollfd wait{client, POLLOUT, 0};
    int error = ETIMEDOUT;
    socklen_t size = sizeof error;
    if (::poll(&wait, 1, kPatience) == 1) {
      ::getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    connected = error == 0;
  }
  ::close(client);
  return connected;
}

void require_list(const ListNetwork& network, const ContainerNet& net, int port,
                  const std::string& result, const std::string& who, bool whole) {
  require_attached(net, who);
  require(somaxconn_of(net) == kSomaxconn, who, "after ADD the sysctl isn't set");
  require(can_connect(network.gateway(), port), who, "after ADD nobody answers at the port");
  require(has_ifb(), who, "after ADD nothing limits what the container sends");
  if (whole) {
    require(is_permitted(ruleset(), container_address(result)), who,
            "after ADD the firewall doesn't know the container");
  }
}

void require_no_list(const ListNetwork& network, const ContainerNet& net, int port,
                     const std::string& result, const std::string& who, bool whole) {
  require_gone(net, who);
  require(!can_connect(network.gateway(), port), who, "after DEL somebody answers at the port");
  if (!whole) return;
  require(!has_ifb(), who, "after DEL an ifb is still there");
  require(!names(ruleset(), container_address(result)), who,
          "after DEL a rule still names the container");
}

}  // namespace unicni::bench
