// What verbs ask of the keeper, and what they are told.
#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "keeper.h"
#include "unicni/daemon.h"
#include "unicni/error.h"
#include "unicni/net/link.h"
#include "unicni/sys/file.h"
#include "unicni/sys/proc.h"
#include "unicni/undo/lease.h"

namespace unicni::dhcp {

namespace {

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

/// Of the verb, which waits; 0: it isn't seen from here.
pid_t pid_of(const DaemonConnection& connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(connection.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  return known ? peer.pid : 0;
}

AttachmentKey key_of(const Line& line) {
  return {line.get("network"), line.get("container"), line.get("if_name")};
}

}  // namespace

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
      release(connection, request);
    } else if (verb == "check") {
      check(request.line, connection);
    } else if (verb == "status") {
      folder_.require_room();
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
  const auto netns = net::Netns::open(sys::proc_path_of(request.attached.get()));
  if (!netns) {
    connection.refuse(Error(Code::invalid_netns, "the container's namespace is gone"));
    return;
  }
  net::Netlink links(*netns);
  const net::Link link = net::get_link(links, lease.key.if_name);
  lease.place = {line.get("netns_path"), links.identity(), link.name, link.index, {}, link.kind};
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
  lease.place.view = view_of(0);
  auto by_path = find_by_path(settings_.host_prefix, lease.place, link.mac);
  if (!by_path) {
    lease.place.view = view_of(pid_of(connection));
    by_path = find_place(settings_.host_prefix, lease.place, link.mac);
  }
  if (!by_path) {
    throw Error(Code::invalid_netns,
                fmt::format("the dhcp daemon finds no such namespace at {}{}",
                            settings_.host_prefix, lease.place.netns_path),
                "it must see the host's files: start it with -hostprefix if they are elsewhere");
  }
  Channel channel(*std::move(by_path), nullptr);
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
  kept.look_at = now + kLookPause;
}

/// The verb's own namespace is looked at as well: the path of the ADD may lead nowhere any more.
void Keeper::release(DaemonConnection& connection, const DaemonConnection::Request& request) {
  const AttachmentKey key = key_of(request.line);
  Kept* kept = find(key);
  std::string failed;
  if (kept != nullptr) {
    if (kept->waiting) {
      kept->waiting->refuse(Error(Code::try_again, "the attachment was taken down meanwhile"));
    }
    kept->lease.place.given = request.attached.get();
    failed = send_release(*kept);
    kept->channel.reset();
    kept->v6.reset();
    kept->is_dead = true;
  }
  const std::string file = lease_file(settings_.folder, key);
  const bool is_left = kept == nullptr && is_anything_at(file);
  if (is_left && is_damaged_lease(file)) {
    failed = fmt::format(
        "{} is damaged: the address of {} is not released, and its DHCP server "
        "keeps it until its time is over",
        file, key.owner());
  }
  try {
    sys::remove_file(file);
  } catch (const Error& error) {
    failed += (failed.empty() ? "" : "; ") + error.msg();  // somebody has put another thing there
  }
  Line answer{"ok", {{"known", kept != nullptr ? "1" : "0"}}};
  // Of a file that it hasn't taken up, what is ready in there can be sent by the verb.
  if (is_left) answer.fields.emplace_back("left", "1");
  if (!failed.empty()) answer.fields.emplace_back("warning", failed);
  connection.answer(std::move(answer));
}

void Keeper::check(const Line& line, DaemonConnection& connection) {
  const AttachmentKey key = key_of(line);
  const Kept* kept = find(key);
  if (kept == nullptr) {
    const std::string file = lease_file(settings_.folder, key);
    const std::string why = is_damaged_lease(file) ? fmt::format(": {} is damaged", file) : "";
    connection.refuse(Error(Code::internal, fmt::format("no DHCP lease for {}{}", key.owner(), why),
                            "the attachment is broken: DEL and ADD it again"));
    return;
  }
  const GrantV4* grant = kept->client.grant();
  // What the file says counts until a server has said more.
  const bool is_over = grant != nullptr && boot_time() >= kept->lease.grant->expires;
  if (grant == nullptr || is_over) {
    connection.refuse(Error(Code::internal,
                            fmt::format("the DHCP lease of {} is lost: {}", key.owner(),
                                        is_over ? "its time is over" : kept->client.seen()),
                            "the daemon goes on asking for an address"));
    return;
  }
  Line answer{"ok", {{"renewed_routes", kept->lease.renewed_routes ? "1" : "0"}}};
  add_grant(*grant, answer);
  if (kept->lease.v6 && kept->lease.v6->grant) add_grant_v6(*kept->lease.v6->grant, answer);
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
