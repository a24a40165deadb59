// The client of one address: RFC 2131 §4.4 as a value over time and packets. It has no sockets and
// no clock; whoever drives it sends what it says, and tells it what came and how late it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exchange.h"
#include "packet_v4.h"

namespace unicni::dhcp {

/// What the client says of itself.
struct Identity {
  Mac mac;
  Bytes client_id;  ///< option 61 as a whole
  /// More options to send with DISCOVER and REQUEST.
  Options provide;
  Bytes request;           ///< option 55
  bool broadcast = false;  ///< flag B
};

/// How long it waits.
struct Patience {
  Span first{500};             ///< for the answer to a first message; doubles each time
  Span longest{10'000};        ///< for one answer while an ADD waits
  Span longest_alone{60'000};  ///< between two tries of a client that nobody waits for
  Span probe{50};              ///< for the answer to an ARP probe; 0: none is sent
};

/// What a server gave.
struct GrantV4 {
  IpNet address;
  IpAddress server;  ///< option 54
  IpAddress relay;   ///< giaddr; 0.0.0.0: none
  Mac next_hop;      ///< who sent the frame: the server or the relay
  Instant since{};   ///< when it was asked for
  Instant t1{};
  Instant t2{};
  Instant expires{};  ///< kNever, as the others: for ever
  Options options;
  friend bool operator==(const GrantV4&, const GrantV4&) = default;
};

class ClientV4 {
 public:
  ClientV4(Identity identity, Patience patience, Random random);
  /// One that has an address already, as of a file. One that is over by now it asks for at once,
  /// and has it until kTimeToConfirm is over.
  void resume(GrantV4 grant, Instant now);

  enum class State : unsigned char {
    idle,
    selecting,   ///< DISCOVER is sent
    requesting,  ///< an offer is taken up
    probing,     ///< acknowledged, but is it in use?
    bound,
    renewing,   ///< asks the server that gave it
    rebinding,  ///< asks anybody
  };
  enum class Way : unsigned char {
    everybody,  ///< a frame to the broadcast address, from 0.0.0.0 or the address
    server,     ///< by the kernel's own ways, from the address
  };
  struct Send {
    Way way = Way::everybody;
    IpAddress src;
    IpAddress dst;
    Packet packet;
  };
  struct Output {
    std::vector<Send> sends;
    std::optional<IpAddress> probe;  ///< ask the link for it, and tell who answers by conflict()
    LeaseEvent event = LeaseEvent::none;
  };

  /// Asks for an address; `wanted` is one that it had before.
  Output start(Instant now, std::optional<IpAddress> wanted = std::nullopt);
  /// A message that came for this client's MAC, in a frame of `from`.
  Output receive(const Packet& packet, const Mac& from, Instant now);
  /// The address that it probes for is in use by another machine.
  Output conflict(Instant now);
  /// It is `now`. Does nothing before next().
  Output elapse(Instant now);
  /// When elapse() is due; kNever: not at all.
  [[nodiscard]] Instant next() const;
  /// Asks for more time ahead of T1.
  Output renew(Instant now);

  /// What a server offers and is asked for.
  struct Offer {
    IpAddress address;
    IpAddress server;
  };
  /// nullopt: none is taken up now.
  [[nodiscard]] std::optional<Offer> offer() const;
  /// Leaves the offer, or what it probes for, to whom has it already, without a word to the server,
  /// and asks anew later. `why`: for seen().
  void leave(const std::string& why, Instant now);
  /// How many addresses in a row were in use by others.
  [[nodiscard]] unsigned declines() const { return declines_; }

  [[nodiscard]] State state() const { return state_; }
  /// nullptr: it has no address now.
  [[nodiscard]] const GrantV4* grant() const;
  /// The message that gives the address back.
  [[nodiscard]] Send release() const;
  /// For errors: what the servers said so far, "no offer", "10.0.0.1 refused 10.0.0.9: wrong net".
  [[nodiscard]] std::string seen() const;
  /// Somebody waits for the address, so it tries more often.
  void hurry(bool somebody_waits) { hurried_ = somebody_waits; }

 private:
  [[nodiscard]] Packet message(MessageType type, Instant now) const;
  [[nodiscard]] Span with_jitter(Span span) const;
  [[nodiscard]] Span answer_time() const;
  void discover(Instant now, Output& out);
  void request(Instant now, Output& out);
  void extend(Instant now, Output& out);
  void restart(Span pause, Instant now);
  [[nodiscard]] Span setback_pause() const;
  void take_offer(const Packet& packet, Instant now, Output& out);
  void take_ack(const Packet& packet, const Mac& from, Instant now, Output& out);
  void take_nak(const Packet& packet, Instant now, Output& out);
  void settle(Output& out);
  void lose(Instant now, Output& out);
  [[nodiscard]] std::optional<GrantV4> read_grant(const Packet& packet, const Mac& from,
                                                  std::string& problem) const;

  Identity identity_;
  Patience patience_;
  Random random_;
  State state_ = State::idle;
  std::optional<GrantV4> grant_;
  std::optional<GrantV4> candidate_;  ///< acknowledged, not yet probed
  std::optional<IpAddress> wanted_;
  IpAddress offered_;
  IpAddress offerer_;
  std::uint32_t xid_ = 0;
  unsigned tries_ = 0;     ///< of the message that is waited on
  unsigned setbacks_ = 0;  ///< refusals and conflicts, which lengthen the pause before a new try
  unsigned declines_ = 0;  ///< of them those of which the server was told
  Instant began_{};        ///< the exchange
  Instant asked_{};        ///< the last REQUEST: times of a grant count from it
  Instant retry_ = kNever;
  bool hurried_ = true;
  Seen seen_;
};

}  // namespace unicni::dhcp
