// The rtnetlink connection: one socket per namespace, requests in batches. rtnetlink(7).
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unicni/net/netns.h"

struct nl_msg;  // of libnl, which writes the messages

namespace unicni {
struct Services;  // of the program around core
}

namespace unicni::net {

class NetlinkSocket;

/// A NETLINK_ROUTE socket in one namespace, with extended acknowledgements (the kernel's own words
/// in errors) and strict checking (filtered dumps). Not thread-safe.
class Netlink {
 public:
  Netlink();                                    ///< in the calling thread's namespace
  explicit Netlink(const Netns& in);            ///< in that namespace
  Netlink(const Netns& in, const Netns& back);  ///< as Netns::run() with `back`
  /// For core: what waits for the kernel is done in the background, and an observer hears of all.
  explicit Netlink(const Services& services);
  Netlink(const Netns& in, const Netns& back, const Services& services);
  Netlink(Netlink&&) noexcept;
  Netlink& operator=(Netlink&&) noexcept;
  ~Netlink();

  [[nodiscard]] int fd() const noexcept;
  [[nodiscard]] const std::string& identity() const noexcept {
    return identity_;
  }  ///< netns_identity() of its namespace

  /// Sends one request and hands every answer to `each` (dump: many, else at most one). Returns 0
  /// or the errno that the kernel answered. Repeats an interrupted dump up to 5 times. Throws Error
  /// if the socket fails.
  int ask(nl_msg* request, const std::function<void(const nlmsghdr*)>& each);

 private:
  friend class Batch;
  friend bool remove_link(Netlink&, int);
  void open(const Services* services = nullptr);
  std::unique_ptr<NetlinkSocket> socket_;
  std::string identity_;
};

/// Changes that go to the kernel in one sendmsg(2) and are done in order. The kernel goes on after
/// a failed message, so commit() reports the first failure and what the later ones did stays: undo
/// is the caller's (UndoLog).
class Batch {
 public:
  explicit Batch(Netlink& netlink);
  Batch(Batch&&) noexcept;
  ~Batch();

  /// Room for one message of at most `space` bytes; `what` describes it in errors ("create veth
  /// veth12 in …"). `tolerated` errno values count as success (EEXIST for an idempotent create).
  nl_msg* add(std::uint16_t type, std::uint16_t flags, std::string what,
              std::vector<int> tolerated = {}, std::size_t space = 1024);

  [[nodiscard]] bool empty() const noexcept;
  /// Sends all and reads every acknowledgement. Throws Error (Code::internal: "<what>: <strerror>
  /// (<ERRNO>)", details the kernel's extended text) for the first that failed. The batch is empty
  /// afterwards.
  void commit();
  /// After commit(): the errno of message number `index`, 0 if it succeeded.
  [[nodiscard]] int error_of(std::size_t index) const;

 private:
  struct Messages;
  Netlink& netlink_;
  std::unique_ptr<Messages> messages_;
};

}  // namespace unicni::net
