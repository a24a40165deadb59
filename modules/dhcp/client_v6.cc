#include "client_v6.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace unicni::dhcp {

namespace {

using std::chrono::seconds;

// RFC 8415 §7.6.
constexpr Span kSolicitFirst{1'000};
constexpr Span kSolicitLongest{3'600'000};
constexpr Span kRequestFirst{1'000};
constexpr Span kRequestLongest{30'000};
constexpr unsigned kMostRequests = 10;
constexpr Span kRenewFirst{10'000};
constexpr Span kRenewLongest{600'000};
// Option 82 counts between these (RFC 8415 §21.24).
constexpr std::uint32_t kLeastSolicitMaxTime = 60;
constexpr std::uint32_t kMostSolicitMaxTime = 86'400;

constexpr std::uint8_t kBest = 255;  // a preference that no other offer can beat
constexpr Span kSlowPause{60'000};

}  // namespace

ClientV6::ClientV6(IdentityV6 identity, PatienceV6 patience, Random random)
    : identity_(std::move(identity)),
      patience_(patience),
      random_(std::move(random)),
      most_solicit_time_(kSolicitLongest) {}

void ClientV6::resume(GrantV6 grant, Instant now) {
  grant_ = std::move(grant);
  state_ = State::bound;
  let_confirm(*grant_, now);
}

/// RAND of RFC 8415 §15: uniform, a tenth to either side.
Span ClientV6::jitter(Span span) const {
  const auto tenth = span.count() / 10;
  if (tenth == 0) return Span(0);
  return Span(static_cast<std::int64_t>(random_()) % (2 * tenth + 1) - tenth);
}

PacketV6 ClientV6::message(MessageTypeV6 type, Instant now) const {
  PacketV6 packet;
  packet.type = type;
  packet.xid = xid_;
  packet.client = identity_.duid;
  const auto hundredths = (now - began_).count() / 10;
  packet.elapsed = static_cast<std::uint16_t>(std::clamp<std::int64_t>(hundredths, 0, 0xffff));
  if (type == MessageTypeV6::release || type == MessageTypeV6::decline) return packet;
  packet.requested = {static_cast<std::uint16_t>(OptionCodeV6::dns_servers),
                      static_cast<std::uint16_t>(OptionCodeV6::domain_search),
                      static_cast<std::uint16_t>(OptionCodeV6::solicit_max_time)};
  return packet;
}

/// Its lifetimes are zero: the client has no wish.
PacketV6 ClientV6::message_about(MessageTypeV6 type, const IpAddress& address, Instant now) const {
  PacketV6 packet = message(type, now);
  packet.associations.push_back({.id = identity_.iaid, .addresses = {{address}}});
  return packet;
}

std::string ClientV6::seen() const { return seen_.str("no DHCPv6 server answered"); }

/// A message of another kind: another transaction.
void ClientV6::begin(State state, Instant now) {
  state_ = state;
  xid_ = random_() & 0xffffffU;
  tries_ = 0;
  began_ = now;
}

/// The message is sent now, and due again after RT.
void ClientV6::repeat(Rhythm rhythm, Instant now) {
  ++tries_;
  asked_ = now;
  pause_ = tries_ == 1 ? rhythm.first + jitter(rhythm.first) : 2 * pause_ + jitter(pause_);
  if (pause_ > rhythm.longest) pause_ = rhythm.longest + jitter(rhythm.longest);
  retry_ = now + pause_;
}

ClientV6::Output ClientV6::start(Instant now) {
  Output out;
  grant_.reset();
  seen_.clear();
  setbacks_ = 0;
  declines_ = 0;
  restart(Span(0), now);
  solicit(now, out);
  return out;
}

/// A new SOLICIT after `pause`.
void ClientV6::restart(Span pause, Instant now) {
  begin(State::soliciting, now);
  candidate_.reset();
  offer_.reset();
  retry_ = now + pause;
}

/// Whom nobody waits for declines few addresses, as ClientV4 does.
void ClientV6::set_back(Instant now) {
  ++setbacks_;
  const bool slow = !hurried_ && declines_ >= kMostDeclines;
  restart(slow ? slow_pause(kSlowPause, declines_) : setback_pause(setbacks_), now);
}

void ClientV6::lose(Instant now, Output& out) {
  grant_.reset();
  out.event = LeaseEvent::lost;
  restart(Span(0), now);
}

/// The random delay before the first one (§18.2.1) is for machines that boot together; it is left
/// out, as an ADD waits.
void ClientV6::solicit(Instant now, Output& out) {
  if (tries_ == 0) began_ = now;
  out.send = message(MessageTypeV6::solicit, now);
  out.send->associations.push_back({.id = identity_.iaid});
  out.send->rapid_commit = true;
  const Span most = hurried_ ? std::min(patience_.longest, most_solicit_time_) : most_solicit_time_;
  repeat({std::min(kSolicitFirst, most), most}, now);
}

void ClientV6::request(Instant now, Output& out) {
  out.send = message_about(MessageTypeV6::request, offer_->address, now);
  out.send->server = offer_->server;
  const Span most = hurried_ ? std::min(patience_.longest, kRequestLongest) : kRequestLongest;
  repeat({std::min(kRequestFirst, most), most}, now);
}

void ClientV6::extend(Instant now, Output& out) {
  const bool renews = state_ == State::renewing;
  out.send =
      message_about(renews ? MessageTypeV6::renew : MessageTypeV6::rebind, grant_->address, now);
  if (renews) out.send->server = grant_->server;
  repeat({kRenewFirst, kRenewLongest}, now);
}

Instant ClientV6::next() const {
  // While another one is asked for, the address that is there may end.
  const Instant end = grant_ ? grant_->expires : kNever;
  switch (state_) {
    case State::idle:
      return kNever;
    case State::bound:
      return std::min(grant_->t1, end);
    case State::renewing:
      return std::min({retry_, grant_->t2, end});
    case State::soliciting:
    case State::requesting:
    case State::probing:
    case State::rebinding:
      break;
  }
  return std::min(retry_, end);
}

ClientV6::Output ClientV6::elapse(Instant now) {
  Output out;
  if (now < next()) return out;
  if (grant_ && now >= grant_->expires) {
    lose(now, out);
    return out;
  }
  switch (state_) {
    case State::idle:
      break;
    case State::soliciting:
      if (offer_) {
        choose(now, out);
      } else {
        solicit(now, out);
      }
      break;
    case State::requesting:
      if (tries_ < kMostRequests) {
        request(now, out);
        break;
      }
      seen_.note(
          fmt::format("{} offered {} and did not give it", offer_->sender, offer_->address.str()));
      if (grant_) {
        begin(State::rebinding, now);
        extend(now, out);
      } else {
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
      if (due != state_) begin(due, now);
      extend(now, out);
      break;
    }
  }
  return out;
}

ClientV6::Output ClientV6::receive(const PacketV6& packet, const IpAddress& sender, Instant now) {
  Output out;
  // RFC 8415 §16.3, §16.10.
  if (packet.xid != xid_ || packet.client != identity_.duid || packet.server.empty()) return out;
  if (const Bytes* most = packet.find(OptionCodeV6::solicit_max_time); most && most->size() == 4) {
    const std::uint32_t time = get32(*most, 0);
    if (time >= kLeastSolicitMaxTime && time <= kMostSolicitMaxTime) {
      most_solicit_time_ = std::chrono::duration_cast<Span>(seconds(time));
    }
  }
  if (packet.type == MessageTypeV6::advertise) {
    if (state_ == State::soliciting && tries_ > 0) take_advertise(packet, sender, now, out);
    return out;
  }
  if (packet.type != MessageTypeV6::reply) return out;
  switch (state_) {
    case State::soliciting:
      if (tries_ == 0 || !packet.rapid_commit) return out;
      break;
    case State::requesting:
      if (packet.server != offer_->server) return out;
      break;
    case State::renewing:
      if (packet.server != grant_->server) return out;
      break;
    case State::rebinding:
      break;
    default:
      return out;
  }
  take_reply(packet, sender, now, out);
  return out;
}

AnswerV6 ClientV6::read(const PacketV6& packet) const {
  return read_answer(packet, identity_.iaid, grant_ ? &grant_->address : nullptr);
}

void ClientV6::take_advertise(const PacketV6& packet, const IpAddress& sender, Instant now,
                              Output& out) {
  const AnswerV6 found = read(packet);
  if (found.address == nullptr) {
    seen_.note(fmt::format("{}: {}", sender.str(), found.problem));
    return;
  }
  const bool first = !offer_;
  const std::uint8_t preference = packet.preference.value_or(0);
  if (first || preference > offer_->preference) {
    offer_ = {found.address->address, packet.server, sender.str(), preference};
  }
  // Who has solicited in vain takes the first offer (§18.2.1).
  if (offer_->preference == kBest || tries_ > 1 || patience_.offers.count() == 0) {
    choose(now, out);
  } else if (first) {
    retry_ = now + patience_.offers;
  }
}

void ClientV6::choose(Instant now, Output& out) {
  begin(State::requesting, now);
  request(now, out);
}

void ClientV6::take_reply(const PacketV6& packet, const IpAddress& sender, Instant now,
                          Output& out) {
  const AnswerV6 found = read(packet);
  if (found.address == nullptr) {
    seen_.note(fmt::format("{}: {}", sender.str(), found.problem));
    take_refusal(packet, found, now, out);
    return;
  }
  candidate_ = grant_of(packet, found, asked_);
  const bool has_it = grant_ && grant_->address == candidate_->address;
  if (patience_.probe.count() == 0 || has_it) {
    settle(out);
    return;
  }
  state_ = State::probing;
  out.probe = candidate_->address;
  retry_ = now + patience_.probe;
}

/// RFC 8415 §18.2.10.1.
void ClientV6::take_refusal(const PacketV6& packet, const AnswerV6& found, Instant now,
                            Output& out) {
  const bool extends = state_ == State::renewing || state_ == State::rebinding;
  if (!extends) {
    // One that fails for a reason it doesn't tell is asked again as if it had not answered.
    if (found.refusal && *found.refusal != StatusCodeV6::unspecified && !grant_) set_back(now);
    if (found.refusal && *found.refusal != StatusCodeV6::unspecified && grant_) lose(now, out);
    return;
  }
  if (found.refusal == StatusCodeV6::no_binding) {
    // It has lost what it knew, and may give the same address anew.
    offer_ = {grant_->address, packet.server, "a server", 0};
    begin(State::requesting, now);
    request(now, out);
    return;
  }
  const auto taken_back = [&](const AssociationV6& each) {
    return each.id == identity_.iaid &&
           std::any_of(each.addresses.begin(), each.addresses.end(), [&](const AddressV6& address) {
             return address.address == grant_->address && address.valid == 0;
           });
  };
  if (found.refusal == StatusCodeV6::not_on_link ||
      std::any_of(packet.associations.begin(), packet.associations.end(), taken_back)) {
    lose(now, out);
  }
}

/// The candidate is the client's.
void ClientV6::settle(Output& out) {
  if (!grant_) {
    out.event = LeaseEvent::bound;
  } else {
    out.event = grant_->address == candidate_->address ? LeaseEvent::renewed : LeaseEvent::moved;
  }
  grant_ = std::exchange(candidate_, std::nullopt);
  offer_.reset();
  setbacks_ = 0;
  declines_ = 0;
  state_ = State::bound;
}

ClientV6::Output ClientV6::conflict(Instant now) {
  Output out;
  if (state_ != State::probing || !candidate_) return out;
  xid_ = random_() & 0xffffffU;
  began_ = now;
  out.send = message_about(MessageTypeV6::decline, candidate_->address, now);
  out.send->server = candidate_->server;
  seen_.note(
      fmt::format("{}, which a server gave, is another machine's", candidate_->address.str()));
  if (grant_) lose(now, out);
  ++declines_;
  set_back(now);
  return out;
}

PacketV6 ClientV6::release(MessageTypeV6 type) const {
  PacketV6 packet = message_about(type, grant_->address, began_);
  packet.xid = random_() & 0xffffffU;
  packet.server = grant_->server;
  return packet;
}

}  // namespace unicni::dhcp
