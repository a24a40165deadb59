// The result of ADD as a value: CNI spec 1.1.0, section 5 "Success". Older layouts exist only on
// the wire (core/src/protocol/result_print.h, result_parse.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"

namespace unicni {

/// `extra` in the structs below: a JSON object's text with the keys that we don't know, or empty.
/// They pass through unchanged (a later spec's fields must survive a chain).
struct Interface {
  std::string name;
  std::string mac;          ///< text as given; empty: unknown
  std::uint32_t mtu = 0;    ///< bytes; 0: not given (1.1.0)
  std::string sandbox;      ///< CNI_NETNS of the container; empty: on the host
  std::string socket_path;  ///< 1.1.0
  std::string pci_id;       ///< 1.1.0
  std::string extra;
  friend bool operator==(const Interface&, const Interface&) = default;
};

struct IpConfig {
  IpNet address;  ///< host bits kept
  std::optional<IpAddress> gateway;
  std::optional<int> interface;  ///< index into Result::interfaces
  std::string extra;
  friend bool operator==(const IpConfig&, const IpConfig&) = default;
};

struct Route {
  IpNet dst;
  std::optional<IpAddress> gw;
  std::uint32_t mtu = 0;  ///< bytes; 0: not given, here and in the next two
  std::uint32_t advmss = 0;
  std::uint32_t priority = 0;  ///< metric
  std::optional<std::uint32_t> table;
  std::optional<std::uint32_t> scope;  ///< 0 global, 253 link, 254 host; 0..255
  std::string extra;
  friend bool operator==(const Route&, const Route&) = default;
};

struct Dns {
  std::vector<std::string> nameservers;
  std::string domain;
  std::vector<std::string> search;
  std::vector<std::string> options;
  [[nodiscard]] bool empty() const {
    return nameservers.empty() && domain.empty() && search.empty() && options.empty();
  }
  friend bool operator==(const Dns&, const Dns&) = default;
};

struct Result {
  std::vector<Interface> interfaces;
  std::vector<IpConfig> ips;
  std::vector<Route> routes;
  Dns dns;
  std::string extra;
  friend bool operator==(const Result&, const Result&) = default;
};

/// One attachment as GC's list of valid attachments names it.
struct Attachment {
  std::string container_id;
  std::string if_name;
  friend bool operator==(const Attachment&, const Attachment&) = default;
};

}  // namespace unicni
