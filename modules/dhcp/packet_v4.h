// A DHCPv4 message as bytes and as a value: RFC 2131 §2, RFC 2132, RFC 3396.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "bytes.h"
#include "unicni/ip.h"
#include "unicni/mac.h"

namespace unicni::dhcp {

/// Option 53.
enum class MessageType : std::uint8_t {
  discover = 1,
  offer,
  request,
  decline,
  ack,
  nak,
  release,
  inform,
};
const char* name_of(MessageType type);  ///< "DISCOVER" …

/// Options that this client sends, applies or reports. RFC 2132 unless said otherwise.
enum class OptionCode : std::uint8_t {
  subnet_mask = 1,
  routers = 3,
  dns_servers = 6,
  host_name = 12,
  domain_name = 15,
  mtu = 26,
  broadcast = 28,
  static_routes = 33,
  ntp_servers = 42,
  requested_address = 50,
  lease_time = 51,
  overload = 52,
  message_type = 53,
  server = 54,
  parameter_list = 55,
  message = 56,
  max_message_size = 57,
  t1 = 58,
  t2 = 59,
  vendor_class = 60,
  client_id = 61,
  user_class = 77,
  relay_agent = 82,        ///< RFC 3046
  domain_search = 119,     ///< RFC 3397
  classless_routes = 121,  ///< RFC 3442
  ms_classless_routes = 249,
};

/// Values by option number. One that comes in parts is here as a whole (RFC 3396). 0 and 255 are no
/// options.
using Options = std::map<std::uint8_t, Bytes>;

struct Packet {
  bool is_reply = false;  ///< BOOTREPLY
  std::uint32_t xid = 0;
  std::uint16_t secs = 0;  ///< since the client began
  bool broadcast = false;  ///< flag B: answer to the broadcast address
  IpAddress ciaddr;        ///< the client's, which it has and can be reached at
  IpAddress yiaddr;        ///< what the server gives
  IpAddress giaddr;        ///< the relay's
  Mac chaddr;
  Options options;

  /// nullptr: absent.
  [[nodiscard]] const Bytes* find(OptionCode code) const;
  void set(OptionCode code, Bytes value);
  /// Of option 53; nullopt: it is absent or no type, so this is no DHCP.
  [[nodiscard]] std::optional<MessageType> type() const;
  friend bool operator==(const Packet&, const Packet&) = default;
};

/// What goes behind the UDP header: option 53 first, values beyond 255 bytes in parts, at least the
/// 300 bytes that old relays want.
Bytes encode(const Packet& packet);

/// The message of an Ethernet client. nullopt: it is none, and `problem` says why. An option whose
/// length leads beyond its field spoils the whole message, as nobody knows what the rest means. An
/// end mark may be missing.
std::optional<Packet> decode(View bytes, std::string& problem);

}  // namespace unicni::dhcp
