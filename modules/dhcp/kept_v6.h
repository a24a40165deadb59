// The IPv6 half of an attachment that the daemon keeps: its client, the wire while there is an
// exchange, and when something is due. The keeper drives it and hears what became of the address.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "channel_v6.h"
#include "client_v6.h"

namespace unicni::dhcp {

class KeptV6 {
 public:
  /// Where its link is, and who hears of events.
  struct Scene {
    std::string prefix;  ///< of find_place()
    const Place& place;
    const Mac& mac;
    std::function<void(LeaseEvent)> told;
  };
  KeptV6(IdentityV6 identity, PatienceV6 patience, Random random)
      : duid_(identity.duid), client_(std::move(identity), patience, std::move(random)) {}

  void resume(GrantV6 grant, Instant now) { client_.resume(std::move(grant), now); }
  /// Begins to ask; with `somebody_waits` sooner and more often than a daemon of its own accord.
  void start(const Scene& scene, Instant now, bool somebody_waits);
  /// Nobody waits any more.
  void calm();
  /// What has come, and what is due. Its own failures it keeps for seen(), and tries again later.
  void turn(const Scene& scene, Instant now);
  /// When turn() is due if nothing comes; kNever: not at all.
  [[nodiscard]] Instant next() const;
  /// Whether turn() might find something.
  [[nodiscard]] bool is_due(Instant now) const { return channel_ || now >= next(); }
  /// Descriptors that become readable.
  [[nodiscard]] std::vector<int> fds() const;
  /// A server has offered an address, which isn't there yet.
  [[nodiscard]] bool is_taking_up() const;

  /// It asks a server to let it keep its address.
  [[nodiscard]] bool is_extending() const;

  /// nullptr: it has no address now.
  [[nodiscard]] const GrantV6* grant() const { return client_.grant(); }
  /// For errors: what servers said, and why packets couldn't be sent.
  [[nodiscard]] std::string seen() const;
  /// So many addresses were in use by others that it isn't asked for more while an ADD waits.
  [[nodiscard]] bool has_declined_enough() const { return client_.declines() >= kMostDeclines; }
  /// The namespace or the link that it was for is no more.
  [[nodiscard]] bool is_gone() const { return is_gone_; }

  /// The packet with which release() would tell that the address is free, while there is an
  /// exchange; empty: there is none, or no address.
  [[nodiscard]] Bytes farewell() const;

  /// Tells the server that the address is free, or that another machine has it if the kernel's
  /// duplicate address detection says so. Nobody waits for the answer. Throws Error.
  void release(const Scene& scene);

 private:
  bool open(const Scene& scene, Instant now);
  void follow(const Scene& scene, const ClientV6::Output& out, Instant now);
  void close();

  Bytes duid_;
  ClientV6 client_;
  std::optional<ChannelV6> channel_;
  Instant close_at_ = kNever;
  Instant retry_at_ = kNever;  ///< when the namespace couldn't be looked at
  std::string trouble_;        ///< why packets couldn't be sent
  bool is_waited_for_ = false;
  bool is_gone_ = false;
};

}  // namespace unicni::dhcp
