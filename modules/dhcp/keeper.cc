#include "keeper.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "datagram.h"
#include "renewal.h"
#include "unicni/error.h"
#include "unicni/net/link.h"
#include "unicni/sys/file.h"

namespace unicni::dhcp {

namespace {

/// How long answers are listened to when nobody waits for them.
constexpr Span kListenTime{4'000};
/// Before a namespace that couldn't be looked at, for lack of descriptors, say, is tried again.
constexpr Span kTroublePause{10'000};
/// For a verb to say what it wants, once it has connected.
constexpr Span kTimeToAsk{5'000};
constexpr const char* kGone = "its namespace or interface is gone";

}  // namespace

Instant boot_time() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<Instant>(std::chrono::seconds(now.tv_sec) +
                                             std::chrono::nanoseconds(now.tv_nsec));
}

std::uint32_t random_bits() {
  std::uint32_t bits = 0;
  static_cast<void>(::getrandom(&bits, sizeof bits, 0));
  return bits;
}

Keeper::Keeper(KeeperSettings settings, DaemonListener& listener, Log log)
    : settings_(std::move(settings)),
      folder_(settings_.folder),
      listener_(listener),
      log_(std::move(log)),
      boot_(sys::boot_id()) {}

ClientV4 Keeper::make_client(const Lease& lease) const {
  Patience patience = settings_.patience;
  patience.probe = lease.probe;
  Identity identity = lease.identity;
  identity.broadcast = identity.broadcast || settings_.broadcast;
  return {std::move(identity), patience, random_bits};
}

void Keeper::load() {
  std::vector<std::string> problems;
  for (Lease& lease : read_leases(settings_.folder, &problems)) {
    const std::string& prefix = settings_.host_prefix;
    if (!is_same_socket(prefix + lease.socket, prefix + settings_.socket)) continue;
    Kept& kept = kept_.emplace_back(lease, make_client(lease));
    kept.client.hurry(false);
    if (lease.grant) kept.client.resume(*lease.grant, boot_time());
    if (lease.applying) apply_again(kept);
    if (!lease.grant) follow(kept, kept.client.start(boot_time()), boot_time());
    load_v6(kept, boot_time());
  }
  for (const std::string& text : problems) log_(LogLevel::error, text);
  if (!kept_.empty()) log_(LogLevel::info, fmt::format("took up {} leases", kept_.size()));
}

Keeper::Kept* Keeper::find(const AttachmentKey& key) {
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return !kept.is_dead && kept.lease.key == key;
  });
  return found == kept_.end() ? nullptr : &*found;
}

bool Keeper::is_busy() const {
  return std::any_of(kept_.begin(), kept_.end(),
                     [](const Kept& kept) { return kept.waiting.has_value(); });
}

Instant Keeper::next(const Kept& kept) const {
  const Instant due = kept.retry_at == kNever ? kept.client.next() : kept.retry_at;
  const Instant due_v6 = kept.v6 ? std::min(kept.v6->next(), kept.go_without_v6) : kNever;
  return std::min({due, kept.close_at, kept.give_up, kept.look_at, due_v6, kept.write_at});
}

/// Descriptors are listed anew each time: but for exchanges, which are short, there is one.
bool Keeper::turn(int wake, Span at_most) {
  std::vector<pollfd> waits{
      {wake, POLLIN, 0}, {listener_.fd(), POLLIN, 0}, {folder_.fd(), POLLIN, 0}};
  Instant due = boot_time() + at_most;
  for (const Caller& each : callers_) {
    due = std::min(due, each.until);
    waits.push_back({each.connection.fd(), POLLIN, 0});
  }
  for (const Kept& kept : kept_) {
    due = std::min(due, next(kept));
    if (kept.waiting) waits.push_back({kept.waiting->fd(), POLLRDHUP, 0});
    if (kept.v6) {
      for (const int fd : kept.v6->fds()) waits.push_back({fd, POLLIN, 0});
    }
    if (!kept.channel) continue;
    for (const int fd : kept.channel->fds()) waits.push_back({fd, POLLIN, 0});
  }
  const auto left = std::clamp<std::int64_t>((due - boot_time()).count(), 0, at_most.count());
  ::poll(waits.data(), waits.size(), static_cast<int>(left));

  // Whoever has the socket's place has taken up the leases.
  if (listener_.is_displaced()) return true;
  for (Kept& kept : kept_) {
    if (kept.is_dead) continue;
    const Instant now = boot_time();
    try {
      if (kept.waiting && !kept.waiting->is_waited_for()) {
        give_up(kept);
        continue;
      }
      if (kept.channel) read(kept, now);
      if (!kept.is_dead) turn_v6(kept, now);
      if (!kept.is_dead && now >= next(kept)) elapse(kept, now);
    } catch (const Error& error) {
      // The link went down or away; what the lease says is looked at when it is next due.
      kept.trouble = error.msg();
      kept.channel.reset();
      kept.close_at = kNever;
    }
  }
  // After the times, as a lease may be over by now.
  serve_all();
  // After the verbs, whose files are gone for good.
  if (folder_.has_lost_files()) restore_files();
  kept_.remove_if([](const Kept& kept) { return kept.is_dead; });
  return (waits.front().revents & POLLIN) != 0;
}

void Keeper::serve_all() {
  const Instant now = boot_time();
  while (auto connection = listener_.accept()) {
    callers_.push_back({*std::move(connection), now + kTimeToAsk});
  }
  for (auto each = callers_.begin(); each != callers_.end();) {
    if (const auto request = each->connection.read()) {
      DaemonConnection connection = std::move(each->connection);
      each = callers_.erase(each);
      serve(std::move(connection), *request);
    } else {
      const bool ends = each->connection.has_ended() || now >= each->until;
      each = ends ? callers_.erase(each) : std::next(each);
    }
  }
}

void Keeper::read(Kept& kept, Instant now) {
  Channel::Heard heard;
  heard.packet = [&](const Packet& packet, const Mac& from) {
    if (kept.is_dead) return;
    const bool selects = kept.client.state() == ClientV4::State::selecting;
    const auto out = kept.client.receive(packet, from, now);
    const auto is_it = [&](const Lease& lease) {
      return lease.grant && lease.grant->server == kept.client.offer()->server &&
             lease.grant->next_hop == from;
    };
    if (!selects || !leaves_to_holder(kept, is_it, now)) follow(kept, out, now);
  };
  heard.broken = [&](const std::string& problem) {
    kept.trouble = "an answer that is not valid came from " + problem;
  };
  heard.conflict = [&](const Mac& holder) { note_conflict(kept, holder, now); };
  kept.channel->receive(heard);
}

void Keeper::elapse(Kept& kept, Instant now) {
  if (now >= kept.give_up) {
    give_up(kept);
    return;
  }
  if (now >= kept.look_at) {
    if (kept.waiting && is_gone(kept)) {
      forget(kept, kGone);
      return;
    }
    kept.look_at = kept.waiting ? now + kLookPause : kNever;
  }
  if (now >= kept.close_at) {
    kept.channel.reset();
    kept.close_at = kNever;
  }
  if (now >= kept.write_at) note_down(kept);
  if (now >= kept.retry_at) kept.retry_at = kNever;
  if (kept.retry_at == kNever && now >= kept.client.next()) {
    follow(kept, kept.client.elapse(now), now);
  }
}

/// False: nothing can be sent now.
bool Keeper::open_channel(Kept& kept, Instant now) {
  if (kept.channel) return true;
  try {
    auto place = place_of(kept.lease);
    if (!place) {
      forget(kept, kGone);
      return false;
    }
    kept.channel.emplace(*std::move(place), kept.client.grant());
    return true;
  } catch (const Error& error) {
    kept.trouble = error.msg();
    kept.retry_at = now + kTroublePause;
    return false;
  }
}

/// Does what the client says.
void Keeper::follow(Kept& kept, const ClientV4::Output& out, Instant now) {
  if ((!out.sends.empty() || out.probe) && !open_channel(kept, now)) return;
  try {
    for (const ClientV4::Send& send : out.sends) kept.channel->send(send);
    if (out.probe) kept.channel->probe(*out.probe);
  } catch (const Error& error) {
    kept.trouble = error.msg();  // the client tries again when its time comes
  }
  if (!kept.waiting && !out.sends.empty()) kept.close_at = now + kListenTime;
  if (out.event != LeaseEvent::none) note_event(kept, out.event);
}

void Keeper::note_event(Kept& kept, LeaseEvent event) {
  const std::optional<GrantV4> before = kept.lease.grant;
  const GrantV4* grant = kept.client.grant();
  kept.lease.grant = grant == nullptr ? std::nullopt : std::optional(*grant);
  kept.lease.farewell.clear();
  if (grant != nullptr) {
    const ClientV4::Send release = kept.client.release();
    kept.lease.farewell = wrap({release.src, release.dst, encode(release.packet)});
  }
  const std::string owner = kept.lease.key.owner();
  // The client has a grant when it is bound, renewed or moved, and had one that it renewed, moved
  // from or lost.
  const std::optional<GrantV4>& now_has = kept.lease.grant;
  switch (event) {
    case LeaseEvent::none:
      return;
    case LeaseEvent::bound:
      if (kept.waiting) {
        become_bound(kept);
        break;
      }
      apply(kept, std::nullopt);
      tell_regained(kept, kept.lost, now_has->address);
      break;
    case LeaseEvent::renewed:
      if (before->options == now_has->options) {
        note_down(kept);
      } else {
        apply(kept, before);
      }
      break;
    case LeaseEvent::moved:
      apply(kept, before);
      tell_change(kept, before->address.str(), now_has->address.str());
      break;
    case LeaseEvent::lost:
      kept.lost = before->address;
      apply(kept, before);
      log_(LogLevel::warning,
           fmt::format("{}: lost {}: {}", owner, before->address.str(), kept.client.seen()));
      break;
  }
  kept.close_at = Instant(0);  // not here: its packets may be being read
}

/// `lost`: the one before; nullopt: an earlier daemon knew it.
void Keeper::tell_regained(const Kept& kept, const std::optional<IpNet>& lost, const IpNet& is) {
  if (lost != is) {
    tell_change(kept, "", is.str());
    return;
  }
  log_(LogLevel::info, fmt::format("{}: has {} again", kept.lease.key.owner(), is.str()));
}

/// `was`: "" for an address that replaces one which was lost.
void Keeper::tell_change(const Kept& kept, const std::string& was, const std::string& is) {
  const std::string change =
      was.empty() ? fmt::format("has {} now", is) : fmt::format("{} became {} at renewal", was, is);
  log_(LogLevel::warning,
       fmt::format("{}: {}; what other plugins made for another address (ipMasq, ports, rules) "
                   "doesn't follow, and their CHECK fails",
                   kept.lease.key.owner(), change));
}

/// The file is there before the verb hears of it: whoever is killed in between, the lease is known.
/// The verb sets the MTU.
void Keeper::become_bound(Kept& kept) {
  kept.lease.mtu = fitting_mtu(*kept.client.grant(), kept.lease.link_mtu, needs_ipv6_mtu(kept)).mtu;
  try {
    folder_.write(kept.lease);
  } catch (const Error& error) {
    fail(kept, error);
    return;
  }
  if (is_complete(kept)) answer(kept);
}

/// The ADD gets its error, and what it has got so far goes back.
void Keeper::fail(Kept& kept, const Error& error) {
  kept.waiting->refuse(error);
  send_release(kept);
  kept.is_dead = true;
  remove_file(kept);
}

std::optional<net::LinkInNetns> Keeper::place_of(const Lease& lease) const {
  return find_place(settings_.host_prefix, lease.place, lease.identity.mac);
}

/// Whether nobody can have its address any more. What can't be looked at is taken to be there.
bool Keeper::is_gone(const Kept& kept) const {
  try {
    return !place_of(kept.lease);
  } catch (const Error&) {
    return false;
  }
}

/// To a server a client id is one client. It offers, or has given, an address that another
/// interface of this daemon's has under the same id: neither would keep it, and a DECLINE would
/// take it from both. `is_it`: whether an interface with that id and address is on the same link.
bool Keeper::leaves_to_holder(Kept& kept, const std::function<bool(const Lease&)>& is_it,
                              Instant now) {
  const auto offer = kept.client.offer();
  if (!offer) return false;
  const auto holder = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& other) {
    const GrantV4* grant = other.client.grant();
    return &other != &kept && !other.is_dead && grant != nullptr &&
           other.lease.identity.client_id == kept.lease.identity.client_id &&
           grant->address.address() == offer->address && is_it(other.lease);
  });
  if (holder == kept_.end()) return false;
  if (is_gone(*holder)) {
    forget(*holder, kGone);
    return false;
  }
  const std::string text =
      fmt::format("{} has {} of {} under the same id", holder->lease.key.owner(),
                  offer->address.str(), offer->server.str());
  if (kept.waiting) {
    fail(kept, Error(Code::invalid_config, "clientId: " + text,
                     "make the id of each interface another one, as \"${K8S_POD_NAMESPACE}/"
                     "${K8S_POD_NAME}\" does for pods, or leave clientId out; if that is an "
                     "earlier container of the same pod, take it down first"));
  } else {
    kept.client.leave(text, now);
  }
  return true;
}

void Keeper::note_conflict(Kept& kept, const Mac& holder, Instant now) {
  const auto is_it = [&](const Lease& lease) {
    const auto place = place_of(lease);
    return (place ? place->link.mac : lease.identity.mac) == holder;
  };
  if (kept.is_dead || leaves_to_holder(kept, is_it, now)) return;
  follow(kept, kept.client.conflict(now), now);
  if (kept.waiting && kept.client.declines() >= kMostDeclines) give_up(kept);
}

void Keeper::remove_file(const Kept& kept) {
  try {
    folder_.remove(kept.lease);
  } catch (const Error& error) {
    log_(LogLevel::error, fmt::format("{}: {}", kept.lease.key.owner(), error.msg()));
  }
}

/// folder_.write() for what has happened already, whether the folder can be written or not: then
/// the file follows later.
void Keeper::note_down(Kept& kept) {
  const bool was_told = kept.write_at != kNever;
  kept.write_at = kNever;
  try {
    folder_.write(kept.lease);
  } catch (const Error& error) {
    kept.write_at = boot_time() + kTroublePause;
    if (was_told) return;
    log_(LogLevel::error, fmt::format("{}: its lease is tried to be written again: {}",
                                      kept.lease.key.owner(), error.msg()));
  }
}

/// The memory is right: who wants to end a lease takes its attachment down.
void Keeper::restore_files() {
  for (Kept& kept : kept_) {
    // An ADD's is yet to come.
    if (kept.is_dead || kept.waiting || ::access(folder_.file_of(kept.lease).c_str(), F_OK) == 0) {
      continue;
    }
    if (is_gone(kept)) {
      forget(kept, kGone);
      continue;
    }
    log_(LogLevel::warning, fmt::format("{}: the file of its lease was removed, and is made again",
                                        kept.lease.key.owner()));
    note_down(kept);
  }
}

/// A change after ADD. The result that the runtime has can't follow it; the interface can, and the
/// file says what CHECK is to go by. It is written first, as the address counts whatever becomes of
/// the interface, and again with what could be applied.
void Keeper::apply(Kept& kept, const std::optional<GrantV4>& was) {
  kept.lease.applying = true;
  kept.lease.replaced = was ? std::optional(was->address) : std::nullopt;
  note_down(kept);
  try {
    const auto place = place_of(kept.lease);
    if (!place) return;  // the next exchange forgets the lease
    for (const std::string& each : apply_renewal(*place, kept.lease, was)) {
      log_(LogLevel::warning, fmt::format("{}: {}", kept.lease.key.owner(), each));
    }
  } catch (const Error& error) {
    log_(LogLevel::error, fmt::format("{}: {}", kept.lease.key.owner(), error.msg()));
  }
  kept.lease.applying = false;
  kept.lease.replaced.reset();
  note_down(kept);
}

/// Of a daemon that was killed in between only the old address is known, which is what must go.
void Keeper::apply_again(Kept& kept) {
  std::optional<GrantV4> was;
  if (kept.lease.replaced) was.emplace().address = *kept.lease.replaced;
  apply(kept, was);
}

std::string Keeper::not_released(const std::string& address, const Error& error) {
  return fmt::format("the DHCP server is not told that {} is free: {}", address, error.msg());
}

bool Keeper::has_address(const Kept& kept) {
  return kept.client.grant() != nullptr || (kept.v6 && kept.v6->grant() != nullptr);
}

/// Best effort, of both families: nobody waits for an answer. The interface is about to go; if the
/// container has taken it down, it comes up for that.
/// Returns what couldn't be sent, and why; "": nothing.
std::string Keeper::send_release(Kept& kept) {
  if (!has_address(kept)) return {};
  const GrantV4* grant = kept.client.grant();
  const GrantV6* six = kept.v6 ? kept.v6->grant() : nullptr;
  std::string failed;
  try {
    auto place = place_of(kept.lease);
    if (!place) throw Error(Code::internal, kGone);
    net::Netlink links(place->netns);
    bring_up(links, place->link);
    failed = send_release_v6(kept);
    six = nullptr;
    if (grant != nullptr) {
      Channel channel(*std::move(place), grant);
      channel.send_at_once(kept.client.release());
    }
  } catch (const Error& error) {
    if (!failed.empty()) failed += "; ";
    std::string addresses = grant == nullptr ? "" : grant->address.address().str();
    if (six != nullptr) addresses += (addresses.empty() ? "" : " and ") + six->address.str();
    failed += not_released(addresses, error);
  }
  if (!failed.empty()) {
    log_(LogLevel::warning, fmt::format("{}: {}", kept.lease.key.owner(), failed));
  }
  return failed;
}

void Keeper::forget(Kept& kept, const std::string& why) {
  const std::string lost = has_address(kept) ? ", and its lease is no longer renewed" : "";
  log_(LogLevel::warning, fmt::format("{}: {}{}", kept.lease.key.owner(), why, lost));
  if (kept.waiting) {
    kept.waiting->refuse(Error(Code::internal, fmt::format("{}: {}", kept.lease.key.owner(), why)));
  }
  kept.channel.reset();
  kept.v6.reset();
  kept.is_dead = true;
  remove_file(kept);
}

}  // namespace unicni::dhcp
