// The daemon: all leases of one socket, each with its client, and one loop that waits for verbs,
// packets and times.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "channel.h"
#include "client_v4.h"
#include "kept_v6.h"
#include "lease.h"
#include "lease_folder.h"
#include "unicni/daemon_listener.h"
#include "unicni/log.h"

namespace unicni::dhcp {

struct KeeperSettings {
  std::string socket;
  std::string host_prefix;  ///< before paths of namespaces, where the host's files are mounted
  std::string folder;       ///< of lease files, behind the prefix
  Patience patience;
  Span most_time{208'000};  ///< that one ADD may take, whatever its verb allows
  bool broadcast = false;   ///< ask for answers to the broadcast address
};

class Keeper {
 public:
  using Log = std::function<void(LogLevel, const std::string&)>;
  Keeper(KeeperSettings settings, DaemonListener& listener, Log log);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Takes up the leases of the folder that are this socket's.
  void load();
  /// One wait and what it brought: verbs, packets, times; `wake` is a descriptor that ends the wait
  /// too. True: `wake` is readable, or another daemon has the socket's place: it is to end.
  bool turn(int wake, Span at_most);
  /// Whether an ADD waits for its answer. Verbs that haven't said what they want ask again.
  [[nodiscard]] bool is_busy() const;
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    Kept(Lease of, ClientV4 by) : lease(std::move(of)), client(std::move(by)) {}
    Lease lease;
    ClientV4 client;
    std::optional<Channel> channel;
    Instant close_at = kNever;                ///< the channel
    std::optional<DaemonConnection> waiting;  ///< the ADD that it is for
    Instant give_up = kNever;                 ///< then that ADD gets its error
    Instant look_at = kNever;                 ///< whether a waiting ADD's interface is there yet
    Instant retry_at = kNever;                ///< when the namespace couldn't be looked at
    std::string trouble;                      ///< why packets couldn't be sent
    Instant write_at = kNever;                ///< when the file couldn't be written
    std::optional<IpNet> lost;                ///< the address before, if the lease was lost since
    std::optional<IpNet> lost_v6;
    bool is_dead = false;
    std::optional<KeptV6> v6;
    Instant go_without_v6 = kNever;  ///< then an ADD that only wants IPv6 has waited long enough
    std::string seen_of_v6;          ///< by an ADD that went without
  };

  /// While an ADD waits, between looks whether its interface is there yet.
  static constexpr Span kLookPause{1'000};

  void serve_all();
  void serve(DaemonConnection connection, const DaemonConnection::Request& request);
  void acquire(DaemonConnection& connection, const DaemonConnection::Request& request);
  void release(DaemonConnection& connection, const DaemonConnection::Request& request);
  void check(const Line& line, DaemonConnection& connection);
  Kept* find(const AttachmentKey& key);

  void elapse(Kept& kept, Instant now);
  void read(Kept& kept, Instant now);
  void follow(Kept& kept, const ClientV4::Output& out, Instant now);
  bool open_channel(Kept& kept, Instant now);
  void note_event(Kept& kept, LeaseEvent event);
  void tell_regained(const Kept& kept, const std::optional<IpNet>& lost, const IpNet& is);
  void tell_change(const Kept& kept, const std::string& was, const std::string& is);
  void become_bound(Kept& kept);
  bool leaves_to_holder(Kept& kept, const std::function<bool(const Lease&)>& is_it, Instant now);
  void note_conflict(Kept& kept, const Mac& holder, Instant now);
  void require_own_id(const Lease& lease) const;
  void wait_for(Kept& kept, DaemonConnection& connection, const Line& request, Instant now);
  void give_up(Kept& kept) { fail(kept, failure(kept)); }
  void fail(Kept& kept, const Error& error);
  [[nodiscard]] static bool has_address(const Kept& kept);
  std::string send_release(Kept& kept);
  void note_down(Kept& kept);
  void remove_file(const Kept& kept);
  void restore_files();
  /// find_place() of its interface.
  [[nodiscard]] std::optional<net::LinkInNetns> place_of(const Lease& lease) const;
  [[nodiscard]] bool is_gone(const Kept& kept) const;
  void apply(Kept& kept, const std::optional<GrantV4>& was);
  void apply_again(Kept& kept);
  void forget(Kept& kept, const std::string& why);
  [[nodiscard]] Instant next(const Kept& kept) const;
  ClientV4 make_client(const Lease& lease) const;

  // keeper_v6.cc
  void load_v6(Kept& kept, Instant now);
  void begin_v6(Kept& kept, const LeaseV6& wanted, Instant now);
  void turn_v6(Kept& kept, Instant now);
  void note_event_v6(Kept& kept, LeaseEvent event);
  template <class Change>
  void change_link(const Kept& kept, const Change& change);
  bool needs_ipv6_mtu(const Kept& kept);
  void tell_preferred(const Kept& kept);
  void apply_v6(const Kept& kept, const std::optional<GrantV6>& old);
  std::string send_release_v6(Kept& kept);
  static std::string not_released(const std::string& address, const Error& error);
  [[nodiscard]] KeptV6 make_v6(const Lease& lease) const;
  [[nodiscard]] KeptV6::Scene scene_of(Kept& kept);
  [[nodiscard]] static bool is_complete(const Kept& kept);
  void answer(Kept& kept);
  [[nodiscard]] static Error failure(const Kept& kept);
  [[nodiscard]] static Error no_ipv6(const Kept& kept);
  [[nodiscard]] static std::string failure_v6(const Kept& kept);

  KeeperSettings settings_;
  LeaseFolder folder_;
  DaemonListener& listener_;
  Log log_;
  std::string boot_;
  std::list<Kept> kept_;
  struct Caller {
    DaemonConnection connection;
    Instant until;
  };
  std::list<Caller> callers_;  ///< that haven't said yet what they want
};

/// CLOCK_BOOTTIME.
Instant boot_time();
/// Of the kernel's generator.
std::uint32_t random_bits();

}  // namespace unicni::dhcp
