#include "subnet_env.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::flannel {

namespace {

constexpr std::size_t kLimit = 64U << 10U;  // bytes

Error unusable(const std::string& reason) {
  return {Code::try_again,
          fmt::format("failed to load flannel 'subnet.env' file: {}. Check the flannel pod log "
                      "for this node.",
                      reason),
          "start flanneld or wait for it: it writes the file when it has a subnet for this node, "
          "and ADD can be tried again then"};
}

struct Line {
  const std::string& path;
  int number;
  std::string_view key;
  std::string_view value;

  [[nodiscard]] Error wrong(const char* expected) const {
    return unusable(fmt::format("{} line {}: {} must be {}", path, number, key, expected));
  }
};

IpNet network_of(const Line& line, std::string_view text, const char* expected) {
  const auto net = IpNet::parse(text);
  if (!net) throw line.wrong(expected);
  return net->masked();
}

std::vector<IpNet> networks_of(const Line& line) {
  std::vector<IpNet> networks;
  std::string_view rest = line.value;
  for (;;) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const IpNet network = network_of(line, rest.substr(0, comma),
                                     "networks such as 10.1.0.0/16, with commas between");
    if (std::find(networks.begin(), networks.end(), network) == networks.end()) {
      networks.push_back(network);
    }
    if (comma == rest.size()) return networks;
    rest.remove_prefix(comma + 1);
  }
}

std::uint32_t number_of(const Line& line) {
  std::uint32_t number = 0;
  const char* end = line.value.data() + line.value.size();
  const auto parsed = std::from_chars(line.value.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) throw line.wrong("a number");
  return number;
}

void read_line(SubnetEnv& env, const Line& line) {
  constexpr const char* kSubnet = "a subnet such as 10.1.17.1/24";
  if (line.key == "FLANNEL_NETWORK") {
    env.networks = networks_of(line);
  } else if (line.key == "FLANNEL_SUBNET") {
    env.subnet = network_of(line, line.value, kSubnet);
  } else if (line.key == "FLANNEL_IPV6_NETWORK") {
    env.ipv6_networks = networks_of(line);
  } else if (line.key == "FLANNEL_IPV6_SUBNET") {
    env.ipv6_subnet = network_of(line, line.value, kSubnet);
  } else if (line.key == "FLANNEL_MTU") {
    env.mtu = number_of(line);
  } else if (line.key == "FLANNEL_IPMASQ") {
    env.ipmasq = line.value == "true";
  }
}

bool is_known(std::string_view key) {
  constexpr std::string_view kKnown[] = {"FLANNEL_NETWORK",     "FLANNEL_SUBNET",
                                         "FLANNEL_IPV6_SUBNET", "FLANNEL_IPV6_NETWORK",
                                         "FLANNEL_MTU",         "FLANNEL_IPMASQ"};
  return std::find(std::begin(kKnown), std::end(kKnown), key) != std::end(kKnown);
}

void require_complete(const SubnetEnv& env, const std::string& path) {
  std::string missing;
  const auto need = [&](bool there, const char* keys) {
    if (!there) missing += (missing.empty() ? "" : ", ") + std::string(keys);
  };
  need(!env.networks.empty() || !env.ipv6_networks.empty(),
       "FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK");
  need(env.subnet || env.ipv6_subnet, "FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET");
  need(env.mtu.has_value(), "FLANNEL_MTU");
  need(env.ipmasq.has_value(), "FLANNEL_IPMASQ");
  if (!missing.empty()) throw unusable(fmt::format("{} is missing {}", path, missing));
}

}  // namespace

SubnetEnv parse_subnet_env(const std::string& text, const std::string& path) {
  SubnetEnv env;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t equals = line.find('=');
    const std::string_view key = line.substr(0, equals);
    if (!is_known(key)) continue;
    if (equals == line.npos) {
      throw unusable(fmt::format("{} line {}: {} has no =", path, number, key));
    }
    read_line(env, Line{path, number, key, line.substr(equals + 1)});
  }
  require_complete(env, path);
  return env;
}

SubnetEnv load_subnet_env(const std::string& path) {
  std::optional<std::string> text;
  try {
    text = sys::read_file(path, kLimit);
  } catch (const Error& error) {
    throw unusable(error.msg());
  }
  if (!text) throw unusable(fmt::format("open {}: no such file or directory", path));
  return parse_subnet_env(*text, path);
}

}  // namespace unicni::flannel
