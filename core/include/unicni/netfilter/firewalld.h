// firewalld: which zone the packets of an address belong to. Through D-Bus, and only at run time:
// what is set here is forgotten when firewalld reloads or restarts. firewalld.dbus(5).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/ip.h"

namespace unicni::net {

class Nft;

/// An address as source of a zone.
struct FirewalldSource {
  std::string zone;
  IpAddress address;
  friend bool operator==(const FirewalldSource&, const FirewalldSource&) = default;
};

/// "10.1.0.2/32", as the reference writes it and firewalld lists it.
std::string firewalld_text(const IpAddress& address);

/// The running firewalld. The library for D-Bus is loaded by get() and find(). A call takes
/// firewalld 1 ms to ask and 6 to 20 ms to change something. All methods throw Error, also
/// (Code::try_again) when it doesn't answer until the deadline.
class Firewalld {
 public:
  /// Throws Error (Code::not_available) with what is missing and what to do if it isn't running.
  static Firewalld get(Deadline deadline);
  /// nullopt: it isn't running, so nothing of ours is in it. Never starts it.
  static std::optional<Firewalld> find(Deadline deadline);
  Firewalld(Firewalld&&) noexcept;
  Firewalld& operator=(Firewalld&&) noexcept;
  ~Firewalld();

  /// False: it was there. Error (Code::invalid_config) if there is no such zone, or if the address
  /// belongs to another one.
  bool add_source(const FirewalldSource& source);
  /// False: it wasn't there, nor the zone, or the address belongs to another zone.
  bool remove_source(const FirewalldSource& source);
  bool has_source(const FirewalldSource& source);
  /// All sources of a zone, as firewalld writes them. Error as add_source().
  std::vector<std::string> list_sources(const std::string& zone);

 private:
  struct Impl;
  explicit Firewalld(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Whether a zone of firewalld may have `address` as a source, by its rules in nftables: one round
/// trip of netlink where firewalld doesn't run, instead of a library and a D-Bus connection. It
/// doesn't see a firewalld that keeps its rules in iptables. Throws Error.
bool may_be_firewalld_source(Nft& nft, const IpAddress& address);

}  // namespace unicni::net
