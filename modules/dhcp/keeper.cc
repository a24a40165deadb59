#include "keeper.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <charconv>

#include "renewal.h"
#include "unicni/daemon.h"
#include "unicni/error.h"
#include "unicni/net/link.h"
#include "unicni/sys/file.h"
#include "unicni/undo/lease.h"

namespace unicni::dhcp {

namespace {

/// How long answers are listened to when nobody waits for them.
constexpr Span kListenTime{4'000};
/// Before a namespace that couldn't be looked at, for lack of descriptors, say, is tried again.
constexpr Span kTroublePause{10'000};
/// For a verb to say what it wants, once it has connected.
constexpr Span kTimeToAsk{5'000};
/// What an ADD's answer takes to arrive.
constexpr Span kMargin{100};
constexpr Span kDefaultTime{20'000};

template <class Number>
Number number_in(const Line& line, std::string_view key, Number otherwise) {
  const std::string text = line.get(key);
  Number number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return text.empty() || read.ec != std::errc() ? otherwise : number;
}

AttachmentKey key_of(const Line& line) {
  return {line.get("network"), line.get("container"), line.get("if_name")};
}

void bring_up(net::Netlink& links, const net::Link& link) {
  if (link.up) return;
  net::Batch batch(links);
  net::change_link(batch, link, {.up = true});
  batch.commit();
}

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
  for (Lease& lease : read_leases(settings_.folder)) {
    const std::string& prefix = settings_.host_prefix;
    if (!is_same_socket(prefix + lease.socket, prefix + settings_.socket)) continue;
    Kept& kept = kept_.emplace_back(lease, make_client(lease));
    kept.client.hurry(false);
    if (lease.grant) kept.client.resume(*lease.grant);
    if (lease.applying) apply_again(kept);
    if (!lease.grant) follow(kept, kept.client.start(boot_time()), boot_time());
    load_v6(kept, boot_time());
  }
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
  return std::min({due, kept.close_at, kept.give_up, due_v6, kept.write_at});
}

/// Descriptors are listed anew each time: but for exchanges, which are short, there is one.
bool Keeper::turn(int wake, Span at_most) {
  std::vector<pollfd> waits{{wake, POLLIN, 0}, {listener_.fd(), POLLIN, 0}};
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
    follow(kept, kept.client.receive(packet, from, now), now);
  };
  heard.broken = [&](const std::string& problem) {
    kept.trouble = "an answer that is not valid came from " + problem;
  };
  heard.conflict = [&] { follow(kept, kept.client.conflict(now), now); };
  kept.channel->receive(heard);
}

void Keeper::elapse(Kept& kept, Instant now) {
  if (now >= kept.give_up) {
    give_up(kept);
    return;
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
    auto netns = find_place(path_of(kept.lease), kept.lease.place, kept.lease.identity.mac);
    if (!netns) {
      forget(kept, "its namespace or interface is gone");
      return false;
    }
    kept.channel.emplace(*std::move(netns), kept.lease.place, kept.lease.identity.mac,
                         kept.client.grant());
    return true;
  } catch (const Error& error) {
    kept.trouble = error.msg();
    kept.retry_at = now + kTroublePause;
    return false;
  }
}

/// The file of another attachment's lease under the same name is its daemon's.
void Keeper::remove_file(const Kept& kept) {
  const std::string file = lease_file(settings_.folder, kept.lease.key);
  const auto present = read_lease(file);
  if (present && present->place != kept.lease.place) return;
  sys::remove_file(file);
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
  if (out.event != Event::none) note_event(kept, out.event, now);
}

void Keeper::note_event(Kept& kept, Event event, Instant) {
  const std::optional<GrantV4> before = kept.lease.grant;
  const GrantV4* grant = kept.client.grant();
  kept.lease.grant = grant == nullptr ? std::nullopt : std::optional(*grant);
  const std::string owner = kept.lease.key.owner();
  switch (event) {
    case Event::none:
      return;
    case Event::bound:
      if (kept.waiting) {
        become_bound(kept);
        break;
      }
      apply(kept, std::nullopt);
      log_(LogLevel::warning, fmt::format("{}: has {} now", owner, grant->address.str()));
      break;
    case Event::renewed:
      if (before->options == grant->options) {
        note_down(kept);
      } else {
        apply(kept, before);
      }
      break;
    case Event::moved:
      apply(kept, before);
      log_(LogLevel::warning, fmt::format("{}: {} became {} at renewal", owner,
                                          before->address.str(), grant->address.str()));
      break;
    case Event::lost:
      apply(kept, before);
      log_(LogLevel::warning,
           fmt::format("{}: lost {}: {}", owner, before->address.str(), kept.client.seen()));
      break;
  }
  kept.close_at = Instant(0);  // not here: its packets may be being read
}

/// The file is there before the verb hears of it: whoever is killed in between, the lease is known.
/// The verb sets the MTU.
void Keeper::become_bound(Kept& kept) {
  kept.lease.mtu = fitting_mtu(*kept.client.grant(), kept.lease.link_mtu);
  try {
    write(kept);
  } catch (const Error& error) {
    send_release(kept);
    kept.waiting->refuse(error);
    kept.is_dead = true;
    return;
  }
  if (is_complete(kept)) answer(kept);
}

/// The ADD's time is up, or its verb is gone: what came too late goes back.
void Keeper::give_up(Kept& kept) {
  kept.waiting->refuse(failure(kept));
  send_release(kept);
  kept.is_dead = true;
  remove_file(kept);
}

void Keeper::write(Kept& kept) {
  sys::ensure_folder(settings_.folder, 0700);
  sys::write_file_atomically(lease_file(settings_.folder, kept.lease.key), print_lease(kept.lease),
                             0600);
}

/// write() for what has happened already, whether the folder can be written or not: then the file
/// follows later.
void Keeper::note_down(Kept& kept) {
  const bool was_told = kept.write_at != kNever;
  kept.write_at = kNever;
  try {
    write(kept);
  } catch (const Error& error) {
    kept.write_at = boot_time() + kTroublePause;
    if (was_told) return;
    log_(LogLevel::error, fmt::format("{}: its lease is tried to be written again: {}",
                                      kept.lease.key.owner(), error.msg()));
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
    const auto netns = find_place(path_of(kept.lease), kept.lease.place, kept.lease.identity.mac);
    if (!netns) return;  // the next exchange forgets the lease
    for (const std::string& each : apply_renewal(*netns, kept.lease, was)) {
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

/// Best effort, of both families: nobody waits for an answer. The interface is about to go; if the
/// container has taken it down, it comes up for that.
/// Returns what couldn't be sent, and why; "": nothing.
std::string Keeper::send_release(Kept& kept) {
  const GrantV4* grant = kept.client.grant();
  if (grant == nullptr && (!kept.v6 || kept.v6->grant() == nullptr)) return {};
  std::string failed;
  try {
    auto netns = find_place(path_of(kept.lease), kept.lease.place, kept.lease.identity.mac);
    if (!netns) return {};
    {
      net::Netlink links(*netns);
      if (const auto link = net::find_link(links, kept.lease.place.index)) bring_up(links, *link);
    }
    failed = send_release_v6(kept);
    if (grant != nullptr) {
      Channel channel(*std::move(netns), kept.lease.place, kept.lease.identity.mac, grant);
      channel.send_at_once(kept.client.release());
    }
  } catch (const Error& error) {
    if (!failed.empty()) failed += "; ";
    failed += not_released(
        (grant == nullptr ? net_of(*kept.v6->grant()) : grant->address).address().str(), error);
  }
  if (!failed.empty()) {
    log_(LogLevel::warning, fmt::format("{}: {}", kept.lease.key.owner(), failed));
  }
  return failed;
}

void Keeper::forget(Kept& kept, const std::string& why) {
  log_(LogLevel::info, fmt::format("{}: {}", kept.lease.key.owner(), why));
  if (kept.waiting) {
    kept.waiting->refuse(Error(Code::internal, fmt::format("{}: {}", kept.lease.key.owner(), why)));
  }
  kept.channel.reset();
  kept.v6.reset();
  kept.is_dead = true;
  remove_file(kept);
}

void Keeper::serve(DaemonConnection connection, const DaemonConnection::Request& request) {
  try {
    const std::string& verb = request.line.word;
    const std::string folder = request.line.get("folder");
    if (!folder.empty() && !is_same_file(settings_.host_prefix + folder, settings_.folder)) {
      connection.answer({std::string(kElsewhere), {{"folder", settings_.folder}}});
      return;
    }
    if (verb == "acquire") {
      acquire(connection, request);
    } else if (verb == "release") {
      release(request.line, connection);
    } else if (verb == "check") {
      check(request.line, connection);
    } else if (verb == "status") {
      connection.answer({"ok", {{"leases", std::to_string(kept_.size())}}});
    } else {
      connection.refuse(Error(Code::incompatible_version,
                              fmt::format("the dhcp daemon of version {} knows no request \"{}\"",
                                          UNICNI_VERSION, verb),
                              "restart it"));
    }
  } catch (const Error& error) {
    connection.refuse(error);
  }
}

void Keeper::acquire(DaemonConnection& connection, const DaemonConnection::Request& request) {
  const Line& line = request.line;
  Lease lease;
  lease.key = key_of(line);
  lease.socket = settings_.socket;
  lease.boot = boot_;
  lease.probe = Span(number_in<std::int64_t>(line, "probe", 0));
  lease.priority = number_in<std::uint32_t>(line, "priority", 0);
  Line whole = line;
  whole.fields.emplace_back("mac", "00:00:00:00:00:00");  // is read from the link
  const auto identity = read_identity(whole);
  if (!identity || !read_lease_v6(line, lease.v6) || !request.attached) {
    connection.refuse(Error(Code::internal, "the request for an address is damaged"));
    return;
  }
  lease.identity = *identity;
  const auto netns = net::Netns::open(fmt::format("/proc/self/fd/{}", request.attached.get()));
  if (!netns) {
    connection.refuse(Error(Code::invalid_netns, "the container's namespace is gone"));
    return;
  }
  net::Netlink links(*netns);
  const net::Link link = net::get_link(links, lease.key.if_name);
  lease.place = {line.get("netns_path"), links.identity(), link.name, link.index};
  lease.link_mtu = link.mtu;
  lease.identity.mac = link.mac;
  // Those of one parent have one MAC, and hear only what goes to an address of theirs or to all.
  lease.identity.broadcast = link.kind == "ipvlan";
  bring_up(links, link);
  if (Kept* earlier = find(lease.key)) {
    if (earlier->waiting) {
      throw Error(Code::try_again,
                  fmt::format("{} waits for its address already", lease.key.owner()));
    }
    const GrantV4* grant = earlier->client.grant();
    if (grant != nullptr && earlier->lease.place == lease.place &&
        earlier->lease.identity.mac == link.mac) {
      // Of an earlier daemon's time, whose ADD asks again. It may wait for IPv6 yet.
      const Instant now = boot_time();
      wait_for(*earlier, connection, line, now);
      if (lease.v6) begin_v6(*earlier, *lease.v6, now);
      if (is_complete(*earlier)) answer(*earlier);
      return;
    }
    send_release(*earlier);
    earlier->is_dead = true;
  }
  require_own_id(lease);
  // Where the path that the runtime uses can't be opened from here, renewals couldn't be either.
  auto by_path = find_place(path_of(lease), lease.place, link.mac);
  if (!by_path) {
    throw Error(Code::invalid_netns,
                fmt::format("the dhcp daemon finds no such namespace at {}", path_of(lease)),
                "it must see the host's files: start it with -hostprefix if they are elsewhere");
  }
  Channel channel(*std::move(by_path), lease.place, link.mac, nullptr);
  const Instant now = boot_time();
  Kept& kept = kept_.emplace_back(lease, make_client(lease));
  kept.channel.emplace(std::move(channel));
  wait_for(kept, connection, line, now);
  if (lease.v6) begin_v6(kept, *lease.v6, now);
  follow(kept, kept.client.start(now), now);
}

/// To a server a client id is one client: two interfaces with one id would take each other's
/// address at every renewal. A pod that comes again before its old container is taken down is none
/// of them.
void Keeper::require_own_id(const Lease& lease) const {
  for (const Kept& kept : kept_) {
    const AttachmentKey& key = kept.lease.key;
    if (kept.is_dead || key.network != lease.key.network ||
        key.container_id != lease.key.container_id || key.if_name == lease.key.if_name ||
        kept.lease.identity.client_id != lease.identity.client_id) {
      continue;
    }
    throw Error(Code::invalid_config,
                fmt::format("clientId: {} of network {} has the same id in this container",
                            key.if_name, key.network),
                "make the id of each interface another one, or leave clientId out: the default "
                "has the interface's name");
  }
}

void Keeper::wait_for(Kept& kept, DaemonConnection& connection, const Line& request, Instant now) {
  kept.waiting = std::move(connection);
  const Span time(number_in<std::int64_t>(request, "time", kDefaultTime.count()));
  kept.give_up = now + std::min(time - kMargin, settings_.most_time);
}

void Keeper::release(const Line& line, DaemonConnection& connection) {
  const AttachmentKey key = key_of(line);
  Kept* kept = find(key);
  std::string failed;
  if (kept != nullptr) {
    if (kept->waiting) {
      kept->waiting->refuse(Error(Code::try_again, "the attachment was taken down meanwhile"));
    }
    failed = send_release(*kept);
    kept->channel.reset();
    kept->v6.reset();
    kept->is_dead = true;
  }
  sys::remove_file(lease_file(settings_.folder, key));
  Line answer{"ok", {{"known", kept != nullptr ? "1" : "0"}}};
  if (!failed.empty()) answer.fields.emplace_back("warning", failed);
  connection.answer(std::move(answer));
}

void Keeper::check(const Line& line, DaemonConnection& connection) {
  const AttachmentKey key = key_of(line);
  const Kept* kept = find(key);
  if (kept == nullptr) {
    connection.refuse(Error(Code::internal, fmt::format("no DHCP lease for {}", key.owner()),
                            "the attachment is broken: DEL and ADD it again"));
    return;
  }
  const GrantV4* grant = kept->client.grant();
  if (grant == nullptr) {
    connection.refuse(
        Error(Code::internal,
              fmt::format("the DHCP lease of {} is lost: {}", key.owner(), kept->client.seen()),
              "the daemon goes on asking for an address"));
    return;
  }
  Line answer{"ok", {{"renewed_routes", kept->lease.renewed_routes ? "1" : "0"}}};
  add_grant(*grant, answer);
  if (kept->lease.v6 && !kept->lease.v6->grant) {
    const std::string seen = kept->v6 ? kept->v6->seen() : std::string("nobody asks for it");
    const std::string text = fmt::format("the DHCPv6 lease of {} is lost: {}", key.owner(), seen);
    if (kept->lease.v6->need == NeedV6::required) {
      connection.refuse(Error(Code::internal, text, "the daemon goes on asking for an address"));
      return;
    }
    answer.fields.emplace_back("v6.warning", text);
  }
  connection.answer(std::move(answer));
}

}  // namespace unicni::dhcp
