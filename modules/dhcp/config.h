// What dhcp can be told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "packet_v4.h"
#include "unicni/call.h"
#include "unicni/options.h"

namespace unicni::dhcp {

/// An option to send, as the reference has it: of `value` and `from_arg` the later counts.
struct ProvidedOption {
  std::string option;  ///< name or number
  std::string value;
  std::string from_arg;  ///< a key of CNI_ARGS
};

/// An option to ask for.
struct RequestedOption {
  bool skip_default = false;
  std::string option;
};

struct DhcpOptions {
  std::string socket_path;
  std::vector<RequestedOption> request;
  std::vector<ProvidedOption> provide;
  std::uint32_t priority = 0;
  std::optional<std::string> hostname;  ///< "": none is sent
  std::string client_id;
  std::string vendor_class;
  std::int64_t timeout = 0;
  std::int64_t arp_probe = 0;
  std::string ipv6;
};

inline constexpr const char* kDefaultSocket = "/run/cni/dhcp.sock";

extern const OptionTable kDhcpOptions;

/// The number of an option by the name that the reference knows, or its decimal number.
/// Error(invalid_config) with the nearest name.
std::uint8_t option_code(const std::string& text);

/// Error(invalid_config) for all that is wrong whatever CNI_ARGS says.
void require_valid(const DhcpOptions& options);

/// K8S_POD_NAME, where it would be sent as host name and is none. nullopt: nothing is wrong.
std::optional<std::string> unfit_pod_name(const Call& call);

/// What DISCOVER and REQUEST carry beside what the protocol wants. Error(invalid_config): a value
/// doesn't fit.
Options provided(const Call& call);
/// Option 55, without doubles and with what the result is made of.
Bytes requested(const DhcpOptions& options);
/// Option 61: a zero byte, which says that a text follows, of which a long one ends in its hash.
Bytes client_id(const Call& call);

}  // namespace unicni::dhcp

namespace unicni {
extern const OptionTable kProvidedFields;
extern const OptionTable kRequestedFields;
template <>
struct OptionFields<dhcp::ProvidedOption> {
  static constexpr const OptionTable* table() { return &kProvidedFields; }
};
template <>
struct OptionFields<dhcp::RequestedOption> {
  static constexpr const OptionTable* table() { return &kRequestedFields; }
};
}  // namespace unicni
