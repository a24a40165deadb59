// A DHCPv6 message between client and server as bytes and as a value: RFC 8415 §8, §21.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bytes.h"
#include "unicni/ip.h"

namespace unicni::dhcp {

enum class MessageTypeV6 : std::uint8_t {
  solicit = 1,
  advertise,
  request,
  confirm,
  renew,
  rebind,
  reply,
  release,
  decline,
  reconfigure,
  information_request,
};
const char* name_of(MessageTypeV6 type);  ///< "SOLICIT" …

/// Options of which this client has no member in PacketV6.
enum class OptionCodeV6 : std::uint16_t {
  dns_servers = 23,    ///< RFC 3646
  domain_search = 24,  ///< RFC 3646
  solicit_max_time = 82,
};

/// Option 13.
struct StatusV6 {
  std::uint16_t code = 0;
  std::string text;  ///< as the server has it, which may be no text at all
  friend bool operator==(const StatusV6&, const StatusV6&) = default;
};
/// RFC 8415 §21.13.
enum class StatusCodeV6 : std::uint16_t {
  success = 0,
  unspecified,
  no_addresses,
  no_binding,
  not_on_link,
  use_multicast,
  no_prefixes,
};
/// "NoAddrsAvail", with the server's words if they are printable: "NoAddrsAvail: pool is empty".
std::string describe(const StatusV6& status);

/// Option 5; times in seconds, of which 0xffffffff is for ever.
struct AddressV6 {
  IpAddress address;
  std::uint32_t preferred = 0;
  std::uint32_t valid = 0;
  std::optional<StatusV6> status = {};
  friend bool operator==(const AddressV6&, const AddressV6&) = default;
};

/// Option 3.
struct AssociationV6 {
  std::uint32_t id = 0;
  std::uint32_t t1 = 0;
  std::uint32_t t2 = 0;
  std::vector<AddressV6> addresses = {};
  std::optional<StatusV6> status = {};
  friend bool operator==(const AssociationV6&, const AssociationV6&) = default;
};

/// Options that the codec only carries, by number.
using OptionsV6 = std::map<std::uint16_t, Bytes>;

struct PacketV6 {
  MessageTypeV6 type = MessageTypeV6::solicit;
  std::uint32_t xid = 0;                    ///< 24 bits
  Bytes client;                             ///< DUID, option 1; empty: absent
  Bytes server;                             ///< DUID, option 2; empty: absent
  std::vector<AssociationV6> associations;  ///< option 3
  std::vector<std::uint16_t> requested;     ///< option 6
  std::optional<std::uint8_t> preference;   ///< option 7
  std::optional<std::uint16_t> elapsed;     ///< option 8, hundredths of a second
  std::optional<StatusV6> status;           ///< option 13
  bool rapid_commit = false;                ///< option 14
  OptionsV6 options;

  /// nullptr: absent.
  [[nodiscard]] const Bytes* find(OptionCodeV6 code) const;
  friend bool operator==(const PacketV6&, const PacketV6&) = default;
};

/// What goes behind the UDP header.
Bytes encode(const PacketV6& packet);

/// nullopt: it is no message of this kind, and `problem` says why. An option whose length leads
/// beyond what it stands in, at any depth, spoils the whole message, and so does one of the options
/// with a member above that has another size than it must have. Of an option that may stand there
/// once and stands there twice the first counts.
std::optional<PacketV6> decode_v6(View bytes, std::string& problem);

}  // namespace unicni::dhcp
