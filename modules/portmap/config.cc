#include "config.h"

#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "unicni/error.h"

namespace unicni {

namespace {

constexpr std::int64_t kLastPort = 65535;

constexpr Option kMappingRows[] = {
    option<&portmap::PortMapping::host_port>("hostPort", "port of the host to publish")
        .with_range(1, kLastPort)
        .must_be_given(),
    option<&portmap::PortMapping::container_port>(
        "containerPort", "port of the container that hostPort is forwarded to")
        .with_range(1, kLastPort)
        .must_be_given(),
    option<&portmap::PortMapping::protocol>("protocol", "protocol of the port: tcp, udp or sctp")
        .must_be_given(),
    option<&portmap::PortMapping::host_ip>(
        "hostIP",
        "address of the host on which the port is published; \"\" for all, 0.0.0.0 for all IPv4 "
        "and :: for all IPv6 addresses"),
};
constinit const OptionTable kMappingFields = option_table<portmap::PortMapping>(kMappingRows);

}  // namespace

template <>
struct OptionFields<portmap::PortMapping> {
  static constexpr const OptionTable* table() { return &kMappingFields; }
};

namespace portmap {

namespace {

constexpr const char* kBackends[] = {"nftables", "iptables", "none", "", nullptr};
constexpr std::size_t kLongestCondition = 4096;

constexpr Option kRows[] = {
    option<&PortmapOptions::backend>("backend",
                                     "where the rules are kept; \"none\": nowhere; absent or \"\": "
                                     "nftables, unless another option needs iptables")
        .with_choices(kBackends),
    option<&PortmapOptions::snat>(
        "snat", "masquerade hairpin, same-subnet and loopback connections to published ports")
        .with_default("true"),
    option<&PortmapOptions::masq_all>(
        "masqAll", "masquerade all connections to published ports, whoever opens them")
        .with_default("false"),
    option<&PortmapOptions::mark_bit>(
        "markMasqBit",
        "bit of the packet mark to set on connections that snat or masqAll masquerades; with "
        "backend iptables the default is 13")
        .with_range(0, 31),
    option<&PortmapOptions::set_mark_chain>(
        "externalSetMarkChain",
        "iptables chain that marks connections for masquerade instead of markMasqBit; masquerading "
        "them is left to the chain's owner")
        .with_default(""),
    option<&PortmapOptions::conditions_v4>(
        "conditionsV4",
        "expressions of nft(8), or with backend iptables arguments of iptables(8), that new IPv4 "
        "connections to published ports must match"),
    option<&PortmapOptions::conditions_v6>(
        "conditionsV6",
        "expressions of nft(8), or with backend iptables arguments of ip6tables(8), that new IPv6 "
        "connections to published ports must match"),
    option<&PortmapOptions::ipv6_loopback>("ipv6Loopback",
                                           "publish ports on the host's ::1 as well, by a local "
                                           "route to ::1 on the container's bridge")
        .with_default("false"),
    option<&PortmapOptions::mappings>("portMappings",
                                      "ports of the host to publish (capability \"portMappings\")")
        .from(OptionSource::runtime_config),
};

bool is_iptables_style(const std::vector<std::string>& conditions) {
  return !conditions.empty() &&
         (conditions.front().starts_with('-') || conditions.front().starts_with('!'));
}

[[noreturn]] void refuse(const std::string& what, const std::string& advice) {
  throw Error(Code::invalid_config, what, advice);
}

[[noreturn]] void refuse_mapping(std::size_t index, const char* key, const std::string& value,
                                 const char* why, const char* advice) {
  refuse(fmt::format("portMappings[{}].{}: \"{}\" {}", index, key, value, why), advice);
}

std::uint8_t protocol_of(std::size_t index, const std::string& text) {
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "tcp") return IPPROTO_TCP;
  if (lower == "udp") return IPPROTO_UDP;
  if (lower == "sctp") return IPPROTO_SCTP;
  refuse_mapping(index, "protocol", text, "is no protocol with ports",
                 "write \"tcp\", \"udp\" or \"sctp\"");
}

void put_host_ip(Mapping& mapping, std::size_t index, const std::string& text,
                 const PortmapOptions& options) {
  if (text.empty()) return;
  const auto address = IpAddress::parse(text);
  if (!address)
    refuse_mapping(index, "hostIP", text, "is no address",
                   "write an IP address of this host, or leave hostIP out for all of them");
  mapping.v4 = address->is_v4();
  mapping.v6 = !address->is_v4();
  if (address->is_unspecified()) return;
  mapping.host_ip = address;
  if (!address->is_loopback()) return;
  if (!options.snat && !options.masq_all) {
    mapping.unservable =
        "a container can't answer to a loopback address of the host: leave \"snat\" true";
  } else if (!address->is_v4() && !options.ipv6_loopback) {
    mapping.unservable =
        "Linux takes answers to ::1 from lo only: \"ipv6Loopback\": true adds the route that lets "
        "it take them from the container's bridge";
  }
}

void validate_conditions(const PortmapOptions& options, const std::vector<std::string>& conditions,
                         const char* key) {
  if (conditions.empty()) return;
  const bool iptables = is_iptables_style(conditions);
  const Backend backend = backend_of(options);
  if (backend == Backend::nftables && iptables) {
    refuse(fmt::format("nftables backend was requested but configuration contains "
                       "iptables-specific options [{}]",
                       key),
           "write the condition in the words of nft(8), or set \"backend\": \"iptables\"");
  }
  if (backend == Backend::iptables && !iptables) {
    refuse(fmt::format("iptables backend was requested but configuration contains "
                       "nftables-specific options [{}]",
                       key),
           "write the condition in the words of iptables(8), or set \"backend\": \"nftables\"");
  }
  std::size_t length = 0;
  for (const std::string& word : conditions) {
    length += word.size() + 1;
    const bool bad = std::ranges::any_of(word, [&](unsigned char c) {
      return c < ' ' || c > '~' ||
             (!iptables &&
              std::string_view(";#$\\`").find(static_cast<char>(c)) != std::string_view::npos);
    });
    if (word.empty() || bad || length > kLongestCondition) {
      refuse(fmt::format("{}: \"{}\" is no part of a condition", key, word),
             fmt::format("write words of printable ASCII, at most {} bytes in all{}",
                         kLongestCondition, iptables ? "" : ", none of ; # $ \\ `"));
    }
  }
}

}  // namespace

constinit const OptionTable kPortmapOptions = option_table<PortmapOptions>(kRows);

Backend backend_of(const PortmapOptions& options) {
  if (options.backend == "none") return Backend::none;
  if (options.backend == "iptables") return Backend::iptables;
  if (options.backend == "nftables") return Backend::nftables;
  const bool needs_iptables = !options.set_mark_chain.empty() ||
                              is_iptables_style(options.conditions_v4) ||
                              is_iptables_style(options.conditions_v6);
  return needs_iptables ? Backend::iptables : Backend::nftables;
}

const char* protocol_name(std::uint8_t protocol) {
  if (protocol == IPPROTO_UDP) return "udp";
  return protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}

std::string describe(const Mapping& mapping) {
  std::string at;
  if (mapping.host_ip) {
    at = " at " + mapping.host_ip->str();
  } else if (!mapping.v4 || !mapping.v6) {
    at = mapping.v4 ? " at 0.0.0.0" : " at ::";
  }
  return fmt::format("portMappings[{}] ({}/{}{} to {})", mapping.index, mapping.host_port,
                     protocol_name(mapping.protocol), at, mapping.container_port);
}

namespace {

using Number = std::pair<std::uint8_t, std::uint16_t>;

Number number_of(const Mapping& mapping) { return {mapping.protocol, mapping.host_port}; }

/// Whether packets of the host's port could go by both.
bool overlap(const Mapping& one, const Mapping& other) {
  if (!(one.v4 && other.v4) && !(one.v6 && other.v6)) return false;
  return !one.host_ip || !other.host_ip || one.host_ip == other.host_ip;
}

bool is_same(const Mapping& one, const Mapping& other) {
  return one.host_ip == other.host_ip && one.v4 == other.v4 && one.v6 == other.v6 &&
         one.container_port == other.container_port;
}

}  // namespace

std::vector<Mapping> mappings_of(const PortmapOptions& options) {
  std::vector<Mapping> mappings;
  std::map<Number, std::vector<std::size_t>> known;
  for (std::size_t i = 0; i < options.mappings.size(); ++i) {
    const PortMapping& written = options.mappings[i];
    Mapping mapping;
    mapping.index = i;
    mapping.protocol = protocol_of(i, written.protocol);
    put_host_ip(mapping, i, written.host_ip, options);
    mapping.host_port = static_cast<std::uint16_t>(written.host_port);
    mapping.container_port = static_cast<std::uint16_t>(written.container_port);
    std::vector<std::size_t>& others = known[number_of(mapping)];
    const auto is_twin = [&](std::size_t other) { return is_same(mappings[other], mapping); };
    if (std::ranges::any_of(others, is_twin)) continue;
    const auto clashes = [&](std::size_t other) {
      return mappings[other].container_port != mapping.container_port &&
             mappings[other].unservable == nullptr && overlap(mappings[other], mapping);
    };
    const auto other = std::ranges::find_if(others, clashes);
    if (mapping.unservable == nullptr && other != others.end()) {
      refuse(fmt::format("{} and {}: a port of the host leads to one port of the container",
                         describe(mappings[*other]), describe(mapping)),
             "give the mappings different hostPorts, or hostIPs that don't cover each other");
    }
    others.push_back(mappings.size());
    mappings.push_back(mapping);
  }
  return mappings;
}

std::vector<Mapping> served_mappings(const std::vector<Mapping>& mappings, Family family) {
  std::map<Number, std::set<std::optional<IpAddress>>> places;
  for (const Mapping& mapping : mappings) {
    if (mapping.is_of(family) && !mapping.unservable && !mapping.host_ip) {
      places[number_of(mapping)] = {};
    }
  }
  const auto any = places;
  std::vector<Mapping> served;
  for (const Mapping& mapping : mappings) {
    if (!mapping.is_of(family) || mapping.unservable) continue;
    const bool covered = mapping.host_ip && any.contains(number_of(mapping));
    if (!covered && places[number_of(mapping)].insert(mapping.host_ip).second) {
      served.push_back(mapping);
    }
  }
  return served;
}

std::string condition_text(const PortmapOptions& options, Family family) {
  std::string text;
  for (const std::string& word :
       family == Family::v4 ? options.conditions_v4 : options.conditions_v6) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

void validate(const PortmapOptions& options) {
  if (!options.set_mark_chain.empty() && options.mark_bit) {
    refuse("Cannot specify externalSetMarkChain and markMasqBit",
           "remove markMasqBit: the chain in externalSetMarkChain marks packets itself");
  }
  if (!options.set_mark_chain.empty() && backend_of(options) == Backend::nftables) {
    refuse(
        "nftables backend was requested but configuration contains iptables-specific options "
        "[externalSetMarkChain]",
        "set \"backend\": \"iptables\", or use markMasqBit");
  }
  validate_conditions(options, options.conditions_v4, "conditionsV4");
  validate_conditions(options, options.conditions_v6, "conditionsV6");
  static_cast<void>(mappings_of(options));
}

}  // namespace portmap

}  // namespace unicni
