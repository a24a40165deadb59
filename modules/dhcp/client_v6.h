// The client of one IPv6 address: RFC 8415 §18.2 for one IA_NA, as a value over time and packets.
// It has no sockets and no clock; whoever drives it sends what it says, and tells it what came and
// how late it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exchange.h"
#include "grant_v6.h"
#include "packet_v6.h"

namespace unicni::dhcp {

/// What the client says of itself.
struct IdentityV6 {
  Bytes duid;
  std::uint32_t iaid = 0;
  friend bool operator==(const IdentityV6&, const IdentityV6&) = default;
};

struct PatienceV6 {
  Span longest{10'000};  ///< for one answer while an ADD waits
  /// For a better offer than the first. RFC 8415 §18.2.1 wants a second, which every ADD would
  /// take.
  Span offers{50};
  Span probe{50};  ///< for a neighbour that has the address; 0: nobody is asked
};

class ClientV6 {
 public:
  ClientV6(IdentityV6 identity, PatienceV6 patience, Random random);
  /// As ClientV4's.
  void resume(GrantV6 grant, Instant now);

  enum class State : unsigned char {
    idle,
    soliciting,
    requesting,  ///< an offer is taken up, or asked for anew of a server that has lost it
    probing,     ///< given, but is it in use?
    bound,
    renewing,   ///< asks the server that gave it
    rebinding,  ///< asks anybody
  };
  struct Output {
    std::optional<PacketV6> send;    ///< to all servers and relays of the link
    std::optional<IpAddress> probe;  ///< ask the link for it, and tell who answers by conflict()
    LeaseEvent event = LeaseEvent::none;
  };

  /// Asks for an address.
  Output start(Instant now);
  /// A message that came, from `sender`.
  Output receive(const PacketV6& packet, const IpAddress& sender, Instant now);
  /// The address that it probes for is in use by another machine.
  Output conflict(Instant now);
  /// It is `now`. Does nothing before next().
  Output elapse(Instant now);
  /// When elapse() is due; kNever: not at all.
  [[nodiscard]] Instant next() const;

  /// How many addresses in a row were in use by others.
  [[nodiscard]] unsigned declines() const { return declines_; }

  [[nodiscard]] State state() const { return state_; }
  /// nullptr: it has no address now.
  [[nodiscard]] const GrantV6* grant() const { return grant_ ? &*grant_ : nullptr; }
  /// The message that gives the address back, or says that another machine has it.
  [[nodiscard]] PacketV6 release(MessageTypeV6 type = MessageTypeV6::release) const;
  /// For errors: what the servers said so far, "no DHCPv6 server answered", "fe80::1:
  /// NoAddrsAvail".
  [[nodiscard]] std::string seen() const;
  /// Somebody waits for the address, so it tries more often.
  void hurry(bool somebody_waits) { hurried_ = somebody_waits; }

 private:
  /// RFC 8415 §15: how a message is repeated.
  struct Rhythm {
    Span first{};
    Span longest{};
  };
  struct Offer {
    IpAddress address;
    Bytes server;
    std::string sender;
    std::uint8_t preference = 0;
  };

  [[nodiscard]] PacketV6 message(MessageTypeV6 type, Instant now) const;
  [[nodiscard]] PacketV6 message_about(MessageTypeV6 type, const IpAddress& address,
                                       Instant now) const;
  [[nodiscard]] Span jitter(Span span) const;
  void begin(State state, Instant now);
  void repeat(Rhythm rhythm, Instant now);
  void solicit(Instant now, Output& out);
  void request(Instant now, Output& out);
  void extend(Instant now, Output& out);
  void restart(Span pause, Instant now);
  void set_back(Instant now);
  void choose(Instant now, Output& out);
  void take_advertise(const PacketV6& packet, const IpAddress& sender, Instant now, Output& out);
  void take_reply(const PacketV6& packet, const IpAddress& sender, Instant now, Output& out);
  void take_refusal(const PacketV6& packet, const AnswerV6& found, Instant now, Output& out);
  void settle(Output& out);
  void lose(Instant now, Output& out);
  [[nodiscard]] AnswerV6 read(const PacketV6& packet) const;

  IdentityV6 identity_;
  PatienceV6 patience_;
  Random random_;
  State state_ = State::idle;
  std::optional<GrantV6> grant_;
  std::optional<GrantV6> candidate_;  ///< given, not yet probed
  std::optional<Offer> offer_;        ///< the best so far, or the one that is requested
  Span most_solicit_time_;            ///< a server may say another one (option 82)
  std::uint32_t xid_ = 0;
  unsigned tries_ = 0;     ///< of the message that is waited on
  unsigned setbacks_ = 0;  ///< refusals and conflicts, which lengthen the pause before a new try
  unsigned declines_ = 0;  ///< of them those of which the server was told
  Span pause_{};           ///< RT of the last one
  Instant began_{};        ///< the exchange
  Instant asked_{};        ///< the last message: times of a grant count from it
  Instant retry_ = kNever;
  bool hurried_ = true;
  Seen seen_;
};

}  // namespace unicni::dhcp
