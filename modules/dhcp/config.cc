#include "config.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "unicni/args_template.h"
#include "unicni/error.h"
#include "unicni/nearest.h"
#include "unicni/sha512.h"
#include "values_v4.h"

namespace unicni {

namespace {

using dhcp::DhcpOptions;
using dhcp::ProvidedOption;
using dhcp::RequestedOption;

constexpr unsigned kAdd = static_cast<unsigned>(Command::add);

constexpr Option kProvidedRows[] = {
    option<&ProvidedOption::option>(
        "option",
        "DHCP option to send: dhcp-client-identifier, subnet-mask, routers, host-name, user-class, "
        "vendor-class-identifier, or a number from 1 to 254")
        .must_be_given(),
    option<&ProvidedOption::value>("value", "text to send, at most 255 bytes"),
    option<&ProvidedOption::from_arg>(
        "fromArg", "key of CNI_ARGS whose value is sent in place of \"value\" if it is there"),
};

constexpr Option kRequestedRows[] = {
    option<&RequestedOption::option>("option",
                                     "DHCP option to ask the server for, by name or number"),
    option<&RequestedOption::skip_default>(
        "skipDefault", "don't ask for routers and subnet-mask unless they are listed"),
};

constexpr const char* kIpv6Choices[] = {"off", "on", "required", nullptr};

constexpr Option kRows[] = {
    option<&DhcpOptions::socket_path>(
        "daemonSocketPath",
        "absolute path of the socket of the daemon that keeps the leases; the daemon is started "
        "if nobody listens there. Programs with a state folder of their own take dhcp.sock in "
        "there "
        "in place of the default")
        .with_default("/run/cni/dhcp.sock"),
    option<&DhcpOptions::request>(
        "request", "DHCP options to ask the server for; routers and subnet-mask are added")
        .used_by(kAdd),
    option<&DhcpOptions::provide>("provide", "DHCP options to send to the server").used_by(kAdd),
    option<&DhcpOptions::priority>("priority",
                                   "metric of all routes in the result; 0: the kernel's default")
        .with_default("0")
        .with_range(0, 4'294'967'295)
        .used_by(kAdd),
    option<&DhcpOptions::hostname>(
        "hostname",
        "host name to send (option 12), a template over CNI_ARGS; \"\": none is sent; default: "
        "K8S_POD_NAME if CNI_ARGS has it")
        .used_by(kAdd),
    option<&DhcpOptions::client_id>(
        "clientId",
        "text that names the client (option 61), a template over CNI_ARGS such as "
        "\"${K8S_POD_NAMESPACE}/${K8S_POD_NAME}\"; default: container id, network and interface")
        .used_by(kAdd),
    option<&DhcpOptions::vendor_class>("vendorClass", "vendor class to send (option 60)")
        .used_by(kAdd),
    option<&DhcpOptions::timeout>("timeout", "seconds that ADD waits for an address")
        .with_default("20")
        .with_range(1, 25)
        .used_by(kAdd),
    option<&DhcpOptions::arp_probe>(
        "arpProbe",
        "milliseconds that ADD waits for another machine to say that it uses the address; 0: "
        "nobody is asked")
        .with_default("50")
        .with_range(0, 100)
        .used_by(kAdd),
    option<&DhcpOptions::ipv6>(
        "ipv6",
        "whether to ask for an IPv6 address as well; without one \"on\" warns, \"required\" fails")
        .with_default("off")
        .with_choices(kIpv6Choices)
        .used_by(kAdd),
};

}  // namespace

constinit const OptionTable kProvidedFields = option_table<ProvidedOption>(kProvidedRows);
constinit const OptionTable kRequestedFields = option_table<RequestedOption>(kRequestedRows);

}  // namespace unicni

namespace unicni::dhcp {

constinit const OptionTable kDhcpOptions = option_table<DhcpOptions>(kRows);

namespace {

struct Name {
  std::string_view text;
  OptionCode code;
};
constexpr std::array<Name, 6> kNames{{{"dhcp-client-identifier", OptionCode::client_id},
                                      {"subnet-mask", OptionCode::subnet_mask},
                                      {"routers", OptionCode::routers},
                                      {"host-name", OptionCode::host_name},
                                      {"user-class", OptionCode::user_class},
                                      {"vendor-class-identifier", OptionCode::vendor_class}}};

/// What the result is made of. The reference's library asks for 1, 3, 15 and 6 by default.
constexpr std::array<OptionCode, 16> kDefaultRequest{OptionCode::classless_routes,
                                                     OptionCode::subnet_mask,
                                                     OptionCode::routers,
                                                     OptionCode::dns_servers,
                                                     OptionCode::host_name,
                                                     OptionCode::domain_name,
                                                     OptionCode::mtu,
                                                     OptionCode::broadcast,
                                                     OptionCode::static_routes,
                                                     OptionCode::ntp_servers,
                                                     OptionCode::lease_time,
                                                     OptionCode::server,
                                                     OptionCode::t1,
                                                     OptionCode::t2,
                                                     OptionCode::domain_search,
                                                     OptionCode::ms_classless_routes};

constexpr const char* kPodName = "K8S_POD_NAME";
constexpr std::size_t kMostBytes = 255;
// kea drops whoever has more than 128 bytes, the first of which is a zero.
constexpr std::size_t kLongestClientId = 100;
constexpr std::size_t kLongestSocketPath = 107;
/// Of 1500 bytes, without the headers of IP, UDP and BOOTP, and with room for the client's own
/// options and its id.
constexpr std::size_t kMostProvided = 900;

/// Those that the protocol itself fills, or that only relays send (82).
bool is_own(std::uint8_t code) {
  constexpr std::array kOwn{OptionCode::requested_address, OptionCode::overload,
                            OptionCode::message_type,      OptionCode::server,
                            OptionCode::parameter_list,    OptionCode::max_message_size,
                            OptionCode::relay_agent};
  return std::any_of(kOwn.begin(), kOwn.end(),
                     [&](OptionCode each) { return static_cast<std::uint8_t>(each) == code; });
}

Bytes bytes_of(const std::string& key, const std::string& text) {
  if (text.size() > kMostBytes) {
    throw Error(Code::invalid_config, fmt::format("{}: value too long: {} bytes, at most {}", key,
                                                  text.size(), kMostBytes));
  }
  return {text.begin(), text.end()};
}

const std::string* find_arg(const Call& call, const std::string& key) {
  const auto found = std::find_if(call.args.rbegin(), call.args.rend(),
                                  [&](const auto& pair) { return pair.first == key; });
  return found == call.args.rend() || found->second.empty() ? nullptr : &found->second;
}

std::uint8_t provided_code(const ProvidedOption& provided) {
  const std::uint8_t code = option_code(provided.option);
  if (is_own(code)) {
    throw Error(Code::invalid_config,
                code == static_cast<std::uint8_t>(OptionCode::relay_agent)
                    ? fmt::format("provide: option {} is sent by relays alone", code)
                    : fmt::format("provide: option {} is set by the DHCP client itself", code),
                "leave it out");
  }
  return code;
}

/// Servers enter it into DNS, leases files and logs.
void require_host_name(const std::string& name) {
  if (name.empty() || is_host_name(name)) return;
  throw Error(Code::invalid_config, fmt::format("hostname: \"{}\" is no host name", name),
              "give labels of letters, digits and inner hyphens, at most 63 bytes each, with dots "
              "between them, at most 255 bytes in all; \"\" sends none");
}

/// "": none.
std::string host_name(const Call& call) {
  const auto& options = call.options<DhcpOptions>();
  if (options.hostname) {
    std::string name = expand_template("hostname", *options.hostname, call.args);
    require_host_name(name);
    return name;
  }
  const std::string* pod = find_arg(call, kPodName);
  return pod == nullptr || unfit_pod_name(call) ? "" : *pod;
}

void require_room(const Options& sent) {
  std::size_t bytes = 0;
  for (const auto& [code, value] : sent) bytes += 2 + value.size();
  if (bytes <= kMostProvided) return;
  throw Error(Code::invalid_config,
              fmt::format("provide: the options to send have {} bytes, at most {} fit a packet",
                          bytes, kMostProvided),
              "leave some of them out, or make their values shorter");
}

}  // namespace

std::uint8_t option_code(const std::string& text) {
  std::vector<std::string_view> known;
  for (const Name& name : kNames) {
    if (name.text == text) return static_cast<std::uint8_t>(name.code);
    known.push_back(name.text);
  }
  unsigned number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  constexpr unsigned kLast = 254;
  if (read.ec == std::errc() && read.ptr == end && number >= 1 && number <= kLast) {
    return static_cast<std::uint8_t>(number);
  }
  const std::string nearest = options::nearest_key(text, known);
  throw Error(Code::invalid_config, fmt::format("Can not parse option \"{}\"", text),
              nearest.empty() ? "give a number from 1 to 254, or one of dhcp-client-identifier, "
                                "subnet-mask, routers, host-name, user-class, "
                                "vendor-class-identifier"
                              : fmt::format("did you mean {}?", nearest));
}

void require_valid(const DhcpOptions& options) {
  const std::string& path = options.socket_path;
  if (!path.starts_with('/') || path.size() > kLongestSocketPath || path.ends_with('/') ||
      path.find('\0') != std::string::npos) {
    throw Error(Code::invalid_config,
                fmt::format("daemonSocketPath: \"{}\" is no absolute path of a socket", path),
                fmt::format("give one of at most {} bytes, such as {}", kLongestSocketPath,
                            kDefaultSocket));
  }
  for (const RequestedOption& each : options.request) {
    if (each.option.empty() && !each.skip_default) {
      throw Error(Code::invalid_config, "request: an element names no option",
                  "give \"option\" a name or a number, or leave the element out");
    }
    if (!each.option.empty()) static_cast<void>(option_code(each.option));
  }
  for (const ProvidedOption& each : options.provide) {
    static_cast<void>(provided_code(each));
    static_cast<void>(bytes_of("provide: " + each.option, each.value));
  }
  if (options.hostname && count_places("hostname", *options.hostname) == 0) {
    require_host_name(*options.hostname);
  }
  static_cast<void>(count_places("clientId", options.client_id));
  static_cast<void>(bytes_of("vendorClass", options.vendor_class));
}

std::optional<std::string> unfit_pod_name(const Call& call) {
  if (call.options<DhcpOptions>().hostname) return std::nullopt;
  const std::string* pod = find_arg(call, kPodName);
  return pod == nullptr || is_host_name(*pod) ? std::nullopt : std::optional(*pod);
}

Options provided(const Call& call) {
  const auto& options = call.options<DhcpOptions>();
  Options sent;
  const auto put = [&](OptionCode code, Bytes value) {
    if (!value.empty()) sent[static_cast<std::uint8_t>(code)] = std::move(value);
  };
  put(OptionCode::host_name, bytes_of("hostname", host_name(call)));
  put(OptionCode::vendor_class, bytes_of("vendorClass", options.vendor_class));
  for (const ProvidedOption& each : options.provide) {
    const std::uint8_t code = provided_code(each);
    const std::string* value = each.from_arg.empty() ? nullptr : find_arg(call, each.from_arg);
    Bytes bytes = bytes_of("provide: " + each.option, value == nullptr ? each.value : *value);
    if (!bytes.empty()) sent[code] = std::move(bytes);
  }
  require_room(sent);
  return sent;
}

Bytes requested(const DhcpOptions& options) {
  Bytes codes;
  const auto add = [&](std::uint8_t code) {
    if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.push_back(code);
  };
  bool skips = false;
  for (const RequestedOption& each : options.request) {
    skips = skips || each.skip_default;
    if (!each.option.empty()) add(option_code(each.option));
  }
  if (options.request.empty()) {
    for (const OptionCode code : kDefaultRequest) add(static_cast<std::uint8_t>(code));
  } else if (!skips) {
    add(static_cast<std::uint8_t>(OptionCode::routers));
    add(static_cast<std::uint8_t>(OptionCode::subnet_mask));
  }
  return codes;
}

Bytes client_id(const Call& call) {
  // Whoever provides the option gives its bytes as they are, as with the reference.
  Options sent = provided(call);
  const auto given = sent.find(static_cast<std::uint8_t>(OptionCode::client_id));
  if (given != sent.end()) return given->second;
  const auto& options = call.options<DhcpOptions>();
  std::string text =
      options.client_id.empty()
          ? fmt::format("{}/{}/{}", call.key.container_id, call.key.network, call.key.if_name)
          : expand_template("clientId", options.client_id, call.args);
  if (text.size() > kLongestClientId) {
    // Its end tells the interfaces of a container apart.
    constexpr std::size_t kHashSize = 32;
    text = text.substr(0, kLongestClientId - kHashSize - 1) + '~' +
           sha512_hex(text).substr(0, kHashSize);
  }
  Bytes id{0};
  id.insert(id.end(), text.begin(), text.end());
  return id;
}

}  // namespace unicni::dhcp
