#include "client_v4.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "line_fields.h"
#include "values_v4.h"

namespace unicni::dhcp {

namespace {

constexpr unsigned kMostRequests = 4;  // then the offer is as good as gone
constexpr std::uint32_t kForEver = 0xffffffff;
constexpr std::chrono::seconds kDefaultLease{
    3600};  // as the reference, for a server that says none
constexpr Span kShortestRenewPause{500};
constexpr Span kLongestShortestRenewPause{60'000};  // RFC 2131 §4.4.5
constexpr std::uint16_t kMaxMessageSize = 1500;
constexpr std::uint32_t kEverybody = 0xffffffff;

Instant later(Instant from, std::chrono::seconds by) {
  return from + std::chrono::duration_cast<Span>(by);
}

Bytes bytes_of(const IpAddress& address) { return {address.data(), address.data() + 4}; }

}  // namespace

ClientV4::ClientV4(Identity identity, Patience patience, Random random)
    : identity_(std::move(identity)), patience_(patience), random_(std::move(random)) {}

void ClientV4::resume(GrantV4 grant, Instant now) {
  grant_ = std::move(grant);
  state_ = State::bound;
  let_confirm(*grant_, now);
}

const GrantV4* ClientV4::grant() const { return grant_ ? &*grant_ : nullptr; }

/// Uniform, a tenth to either side: clients that began together come apart (RFC 2131 §4.1).
Span ClientV4::with_jitter(Span span) const {
  const auto tenth = span.count() / 10;
  if (tenth == 0) return span;
  return span + Span(static_cast<std::int64_t>(random_()) % (2 * tenth + 1) - tenth);
}

Span ClientV4::answer_time() const {
  const Span most = hurried_ ? patience_.longest : patience_.longest_alone;
  Span time = patience_.first;
  for (unsigned i = 1; i < tries_ && time < most; ++i) time *= 2;
  return with_jitter(std::min(time, most));
}

Packet ClientV4::message(MessageType type, Instant now) const {
  Packet packet;
  packet.xid = xid_;
  const auto secs = std::chrono::duration_cast<std::chrono::seconds>(now - began_).count();
  packet.secs = static_cast<std::uint16_t>(std::clamp<std::int64_t>(secs, 0, 0xffff));
  packet.chaddr = identity_.mac;
  packet.set(OptionCode::message_type, {static_cast<std::uint8_t>(type)});
  packet.set(OptionCode::client_id, identity_.client_id);
  if (type != MessageType::discover && type != MessageType::request) return packet;
  for (const auto& [code, value] : identity_.provide) packet.options[code] = value;
  packet.broadcast = identity_.broadcast;
  Bytes size;
  put16(size, kMaxMessageSize);
  packet.set(OptionCode::max_message_size, std::move(size));
  // An option has a byte at least (RFC 2132 §9.8).
  if (!identity_.request.empty()) packet.set(OptionCode::parameter_list, identity_.request);
  return packet;
}

std::string ClientV4::seen() const { return seen_.str("no DHCP server answered"); }

ClientV4::Output ClientV4::start(Instant now, std::optional<IpAddress> wanted) {
  Output out;
  grant_.reset();
  candidate_.reset();
  wanted_ = wanted;
  seen_.clear();
  setbacks_ = 0;
  declines_ = 0;
  began_ = now;
  tries_ = 0;
  discover(now, out);
  return out;
}

void ClientV4::discover(Instant now, Output& out) {
  if (state_ != State::selecting || tries_ == 0) xid_ = random_();
  state_ = State::selecting;
  ++tries_;
  Send send{Way::everybody, IpAddress(), IpAddress::v4(kEverybody),
            message(MessageType::discover, now)};
  if (wanted_) send.packet.set(OptionCode::requested_address, bytes_of(*wanted_));
  out.sends.push_back(std::move(send));
  retry_ = now + answer_time();
}

void ClientV4::request(Instant now, Output& out) {
  ++tries_;
  asked_ = now;
  Send send{Way::everybody, IpAddress(), IpAddress::v4(kEverybody),
            message(MessageType::request, now)};
  send.packet.set(OptionCode::requested_address, bytes_of(offered_));
  send.packet.set(OptionCode::server, bytes_of(offerer_));
  out.sends.push_back(std::move(send));
  retry_ = now + answer_time();
}

/// A REQUEST for more time (RFC 2131 §4.4.5): half of what is left before the next one.
void ClientV4::extend(Instant now, Output& out) {
  ++tries_;
  asked_ = now;
  const bool renews = state_ == State::renewing;
  const IpAddress own = grant_->address.address();
  Send send{renews ? Way::server : Way::everybody, own,
            renews ? grant_->server : IpAddress::v4(kEverybody),
            message(MessageType::request, now)};
  send.packet.ciaddr = own;
  out.sends.push_back(std::move(send));
  const Instant end = renews ? grant_->t2 : grant_->expires;
  const Span whole = renews ? grant_->t2 - grant_->t1 : grant_->expires - grant_->t2;
  const Span least = std::clamp<Span>(whole / 4, kShortestRenewPause, kLongestShortestRenewPause);
  retry_ = std::min(now + with_jitter(std::max((end - now) / 2, least)), end);
}

/// Whom nobody waits for has time, and must not empty a pool.
Span ClientV4::setback_pause() const {
  if (hurried_ || declines_ < kMostDeclines) return dhcp::setback_pause(setbacks_);
  return slow_pause(patience_.longest_alone, declines_);
}

/// A new exchange after `pause`.
void ClientV4::restart(Span pause, Instant now) {
  state_ = State::selecting;
  tries_ = 0;
  candidate_.reset();
  retry_ = now + pause;
}

void ClientV4::lose(Instant now, Output& out) {
  wanted_ = grant_->address.address();
  grant_.reset();
  out.event = LeaseEvent::lost;
  began_ = now;
  restart(Span(0), now);
}

ClientV4::Output ClientV4::renew(Instant now) {
  Output out;
  if (state_ != State::bound) return out;
  state_ = State::renewing;
  began_ = now;
  xid_ = random_();
  tries_ = 0;
  extend(now, out);
  return out;
}

Instant ClientV4::next() const {
  switch (state_) {
    case State::idle:
      return kNever;
    case State::bound:
      return grant_->t1;
    case State::renewing:
      return std::min(retry_, grant_->t2);
    case State::rebinding:
      return std::min(retry_, grant_->expires);
    case State::selecting:
    case State::requesting:
    case State::probing:
      break;
  }
  return retry_;
}

ClientV4::Output ClientV4::elapse(Instant now) {
  Output out;
  if (now < next()) return out;
  if (grant_ && now >= grant_->expires) {
    lose(now, out);
    return out;
  }
  switch (state_) {
    case State::idle:
      break;
    case State::selecting:
      discover(now, out);
      break;
    case State::requesting:
      if (tries_ < kMostRequests) {
        request(now, out);
      } else {
        seen_.note(fmt::format("{} offered {} and did not acknowledge it", offerer_.str(),
                               offered_.str()));
        restart(Span(0), now);
      }
      break;
    case State::probing:
      settle(out);
      break;
    case State::bound:
    case State::renewing:
    case State::rebinding: {
      // Who was away for long (the machine slept) goes on with what is due now.
      const State due = now >= grant_->t2 ? State::rebinding : State::renewing;
      if (due != state_) {
        if (state_ == State::bound) began_ = now;
        state_ = due;
        xid_ = random_();
        tries_ = 0;
      }
      extend(now, out);
      break;
    }
  }
  return out;
}

ClientV4::Output ClientV4::receive(const Packet& packet, const Mac& from, Instant now) {
  Output out;
  if (!packet.is_reply || packet.xid != xid_ || packet.chaddr != identity_.mac) return out;
  const auto type = packet.type();
  const bool extends = state_ == State::renewing || state_ == State::rebinding;
  if (type == MessageType::offer && state_ == State::selecting && tries_ > 0) {
    take_offer(packet, now, out);
  } else if (type == MessageType::ack && (state_ == State::requesting || extends)) {
    take_ack(packet, from, now, out);
  } else if (type == MessageType::nak && (state_ == State::requesting || extends)) {
    take_nak(packet, now, out);
  }
  return out;
}

/// The first good one: to wait for others would cost every ADD that time.
void ClientV4::take_offer(const Packet& packet, Instant now, Output& out) {
  const auto server = read_address(packet.find(OptionCode::server));
  if (!server || packet.yiaddr.is_unspecified()) {
    seen_.note("an offer without address or server");
    return;
  }
  offered_ = packet.yiaddr;
  offerer_ = *server;
  state_ = State::requesting;
  tries_ = 0;
  request(now, out);
}

/// Times count from when they were asked for: the server's clock began later (RFC 2131 §4.4.1).
std::optional<GrantV4> ClientV4::read_grant(const Packet& packet, const Mac& from,
                                            std::string& problem) const {
  GrantV4 grant;
  const Bytes* mask = packet.find(OptionCode::subnet_mask);
  const auto prefix = read_mask(mask);
  if (!prefix) {
    problem = mask == nullptr ? "DHCP option Subnet Mask not found in DHCPACK"
                              : "the subnet mask " + to_hex(*mask) + " is none";
    return std::nullopt;
  }
  if (*prefix == 0) {
    problem = "the subnet mask is 0.0.0.0";
    return std::nullopt;
  }
  const IpAddress& address = packet.yiaddr;
  if (address.is_unspecified() || address.is_multicast() || address.is_loopback() ||
      address == IpAddress::v4(kEverybody)) {
    problem = "the address is none that an interface can have";
    return std::nullopt;
  }
  grant.address = IpNet(address, *prefix);
  const auto server = read_address(packet.find(OptionCode::server));
  grant.server = server.value_or(grant_ ? grant_->server : offerer_);
  grant.relay = packet.giaddr;
  grant.next_hop = from;
  grant.since = asked_;
  grant.options = packet.options;
  const std::uint32_t seconds = read32(packet.find(OptionCode::lease_time))
                                    .value_or(static_cast<std::uint32_t>(kDefaultLease.count()));
  if (seconds == 0) {
    problem = "the lease has no time";
    return std::nullopt;
  }
  if (seconds == kForEver) {
    grant.t1 = grant.t2 = grant.expires = kNever;
    return grant;
  }
  const auto t1 = read32(packet.find(OptionCode::t1)).value_or(seconds / 2);
  const auto t2 = read32(packet.find(OptionCode::t2)).value_or(seconds - seconds / 8);
  grant.expires = later(asked_, std::chrono::seconds(seconds));
  // 0 < T1 < T2 < the end, or they are as if not given: so a renewal lasts half a second at least.
  const bool sane = 0 < t1 && t1 < t2 && t2 < seconds;
  grant.t1 = sane ? later(asked_, std::chrono::seconds(t1)) : asked_ + (grant.expires - asked_) / 2;
  grant.t2 =
      sane ? later(asked_, std::chrono::seconds(t2)) : asked_ + (grant.expires - asked_) * 7 / 8;
  return grant;
}

void ClientV4::take_ack(const Packet& packet, const Mac& from, Instant now, Output& out) {
  const auto server = read_address(packet.find(OptionCode::server));
  if (state_ == State::requesting && server && *server != offerer_) return;
  std::string problem;
  const auto grant = read_grant(packet, from, problem);
  if (!grant) {
    seen_.note(fmt::format("{}: {}", server.value_or(offerer_).str(), problem));
    return;
  }
  const bool has_it = grant_ && grant_->address.address() == grant->address.address();
  candidate_ = grant;
  if (patience_.probe.count() == 0 || has_it) {
    settle(out);
    return;
  }
  state_ = State::probing;
  out.probe = grant->address.address();
  retry_ = now + patience_.probe;
}

/// The candidate is the client's.
void ClientV4::settle(Output& out) {
  if (!grant_) {
    out.event = LeaseEvent::bound;
  } else {
    out.event = grant_->address == candidate_->address ? LeaseEvent::renewed : LeaseEvent::moved;
  }
  grant_ = std::exchange(candidate_, std::nullopt);
  wanted_.reset();
  setbacks_ = 0;
  declines_ = 0;
  state_ = State::bound;
}

void ClientV4::take_nak(const Packet& packet, Instant now, Output& out) {
  const auto server = read_address(packet.find(OptionCode::server));
  const auto text = read_text(packet.find(OptionCode::message));
  const IpAddress address = grant_ ? grant_->address.address() : offered_;
  // In the end only the chosen server may refuse what it offered, but one that knows the address to
  // be wrong here refuses it to anybody (RFC 2131 §4.3.2); then the exchange begins anew.
  seen_.note(fmt::format("{} refused {}{}", server ? server->str() : "a server", address.str(),
                         text ? ": " + *text : ""));
  if (grant_) {
    lose(now, out);
    wanted_.reset();
    return;
  }
  wanted_.reset();
  ++setbacks_;
  restart(dhcp::setback_pause(setbacks_ - 1), now);
}

ClientV4::Output ClientV4::conflict(Instant now) {
  Output out;
  if (state_ != State::probing || !candidate_) return out;
  const IpAddress address = candidate_->address.address();
  Send send{Way::everybody, IpAddress(), IpAddress::v4(kEverybody),
            message(MessageType::decline, now)};
  send.packet.set(OptionCode::requested_address, bytes_of(address));
  send.packet.set(OptionCode::server, bytes_of(candidate_->server));
  out.sends.push_back(std::move(send));
  seen_.note(fmt::format("{} gave {}, which another machine uses", candidate_->server.str(),
                         address.str()));
  if (grant_) {
    lose(now, out);
  }
  wanted_.reset();
  ++setbacks_;
  ++declines_;
  restart(setback_pause(), now);
  return out;
}

std::optional<ClientV4::Offer> ClientV4::offer() const {
  if (state_ == State::probing) return Offer{candidate_->address.address(), candidate_->server};
  if (state_ == State::requesting) return Offer{offered_, offerer_};
  return std::nullopt;
}

void ClientV4::leave(const std::string& why, Instant now) {
  seen_.note(why);
  wanted_.reset();
  ++setbacks_;
  restart(hurried_ ? setback_pause() : patience_.longest_alone, now);
}

/// RFC 2131 §4.4.6, table 5.
ClientV4::Send ClientV4::release() const {
  const IpAddress own = grant_->address.address();
  Send send{Way::server, own, grant_->server, message(MessageType::release, began_)};
  send.packet.xid = random_();
  send.packet.ciaddr = own;
  send.packet.set(OptionCode::server, bytes_of(grant_->server));
  return send;
}

}  // namespace unicni::dhcp
