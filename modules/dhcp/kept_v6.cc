#include "kept_v6.h"

#include <algorithm>

#include "channel.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"

namespace unicni::dhcp {

namespace {

/// How long answers are listened to when nobody waits for them.
constexpr Span kListenTime{4'000};
/// Before a namespace that couldn't be looked at is tried again.
constexpr Span kTroublePause{10'000};
/// The same while an ADD waits.
constexpr Span kShortTroublePause{200};

}  // namespace

void KeptV6::start(const Scene& scene, Instant now, bool somebody_waits) {
  is_waited_for_ = somebody_waits;
  client_.hurry(somebody_waits);
  follow(scene, client_.start(now), now);
}

void KeptV6::calm() {
  is_waited_for_ = false;
  client_.hurry(false);
}

Instant KeptV6::next() const {
  return std::min(retry_at_ == kNever ? client_.next() : retry_at_, close_at_);
}

std::vector<int> KeptV6::fds() const { return channel_ ? channel_->fds() : std::vector<int>(); }

bool KeptV6::is_taking_up() const {
  return client_.state() == ClientV6::State::requesting ||
         client_.state() == ClientV6::State::probing;
}

bool KeptV6::is_extending() const {
  return client_.state() == ClientV6::State::renewing ||
         client_.state() == ClientV6::State::rebinding;
}

std::string KeptV6::seen() const {
  return client_.seen() + (trouble_.empty() ? "" : "; " + trouble_);
}

void KeptV6::close() {
  channel_.reset();
  close_at_ = kNever;
}

void KeptV6::turn(const Scene& scene, Instant now) {
  try {
    if (channel_) {
      ChannelV6::Heard heard;
      heard.packet = [&](const PacketV6& packet, const IpAddress& sender) {
        follow(scene, client_.receive(packet, sender, now), now);
      };
      heard.broken = [&](const std::string& problem) {
        trouble_ = "an answer that is not valid came from " + problem;
      };
      heard.conflict = [&] { follow(scene, client_.conflict(now), now); };
      channel_->receive(heard);
    }
  } catch (const Error& error) {
    // The link went down or away; what the lease says is looked at when it is next due.
    trouble_ = error.msg();
    close();
  }
  if (now >= close_at_) close();
  if (now >= retry_at_) retry_at_ = kNever;
  if (retry_at_ == kNever && now >= client_.next()) follow(scene, client_.elapse(now), now);
}

/// False: nothing can be sent now.
bool KeptV6::open(const Scene& scene, Instant now) {
  if (channel_) return true;
  try {
    auto place = find_place(scene.prefix, scene.place, scene.mac);
    if (!place) {
      is_gone_ = true;
      return false;
    }
    channel_.emplace(*std::move(place), duid_);
    return true;
  } catch (const Error& error) {
    trouble_ = error.msg();
    retry_at_ = now + (is_waited_for_ ? kShortTroublePause : kTroublePause);
    return false;
  }
}

/// Does what the client says.
void KeptV6::follow(const Scene& scene, const ClientV6::Output& out, Instant now) {
  if ((out.send || out.probe) && open(scene, now)) {
    try {
      if (out.send) channel_->send(*out.send);
      if (out.probe) channel_->probe(*out.probe);
    } catch (const Error& error) {
      trouble_ = error.msg();  // the client tries again when its time comes
    }
    if (!is_waited_for_) close_at_ = now + kListenTime;
  }
  if (out.event == LeaseEvent::none) return;
  close_at_ = Instant(0);  // not here: its packets may be being read
  scene.told(out.event);
}

Bytes KeptV6::farewell() const {
  return channel_ && client_.grant() != nullptr ? channel_->wrapped(client_.release()) : Bytes();
}

void KeptV6::release(const Scene& scene) {
  if (client_.grant() == nullptr) return;
  auto place = find_place(scene.prefix, scene.place, scene.mac);
  if (!place) throw Error(Code::internal, "its namespace or interface is gone");
  net::Netlink links(place->netns);
  const auto failed = net::get_dad_state(links, place->link.index).failed;
  const bool is_anothers = failed && failed->address() == client_.grant()->address;
  ChannelV6 channel(*std::move(place), duid_);
  channel.send(client_.release(is_anothers ? MessageTypeV6::decline : MessageTypeV6::release));
}

}  // namespace unicni::dhcp
