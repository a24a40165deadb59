// What a DHCPv6 server gives: the address of one IA_NA in an answer.
#pragma once

#include <optional>
#include <string>

#include "exchange.h"
#include "packet_v6.h"

namespace unicni::dhcp {

/// What a server gave.
struct GrantV6 {
  IpAddress address;
  Bytes server;     ///< its DUID
  Instant since{};  ///< when it was asked for
  Instant t1{};
  Instant t2{};
  Instant preferred{};  ///< until when new connections are to be made from it
  Instant expires{};    ///< kNever, as the others: for ever
  OptionsV6 options;
  friend bool operator==(const GrantV6&, const GrantV6&) = default;
};

/// What a message has for one client. A refusal may stand in the message, in the IA_NA or at the
/// address.
struct AnswerV6 {
  const AssociationV6* association = nullptr;
  const AddressV6* address = nullptr;   ///< the one to take; nullptr: none, and `problem` says why
  std::optional<StatusCodeV6> refusal;  ///< if a server said it, and not the address alone is bad
  std::string problem;
};
/// Points into `packet`. Of several addresses the one is taken that the client has (`own`, nullptr:
/// none), if that goes on, else the first that an interface can have.
AnswerV6 read_answer(const PacketV6& packet, std::uint32_t iaid, const IpAddress* own);

/// Of an answer with an address. Times count from when it was asked for: the server's clock began
/// later.
GrantV6 grant_of(const PacketV6& packet, const AnswerV6& answer, Instant asked);

}  // namespace unicni::dhcp
