// A netlink socket of any protocol and its conversation: send, acknowledgements, answers.
// netlink(7); the socket and what reads from it are libnl's.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <exception>
#include <forward_list>
#include <functional>
#include <span>
#include <string>

#include "base/services.h"
#include "base/stretch.h"
#include "net/owned.h"

namespace unicni::net {

/// What the kernel answered to one message.
struct Acknowledgement {
  std::uint32_t sequence = 0;
  int error = 0;     ///< an errno, 0: done
  std::string text;  ///< the kernel's own words (NLMSGERR_ATTR_MSG), may be empty
};

/// Who hears what the kernel sends, message by message. What returns a bool says whether to go on
/// reading; whatever else was read is lost after a `false`. May throw.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;

  /// Whether it wants messages with this sequence number; the others are passed over.
  [[nodiscard]] virtual bool expects(std::uint32_t sequence) const noexcept = 0;
  /// An answer, or a part of a dump. nlmsg_get(3) keeps it.
  virtual bool on_answer(nl_msg* message) = 0;
  /// The kernel is done with the request, or refused it: NLMSG_ERROR, or NLMSG_DONE of a dump,
  /// which may have failed on its way.
  virtual bool on_result(const Acknowledgement& result) = 0;
  /// What a dump tells was changed meanwhile (NLM_F_DUMP_INTR).
  virtual void on_interruption() noexcept {}
};

class NetlinkSocket {
 public:
  enum class Expect {
    answer,           ///< one message, or an error
    acknowledgement,  ///< NLM_F_ACK; messages before it are answers
    dump,             ///< NLM_F_DUMP: messages until NLMSG_DONE
  };

  /// Opens in the calling thread's namespace. `protocol` is NETLINK_ROUTE or NETLINK_NETFILTER;
  /// `services`, which outlive the socket, may be nullptr: then it waits for the kernel itself.
  /// Throws Error.
  explicit NetlinkSocket(int protocol, const Services* services = nullptr);
  NetlinkSocket(const NetlinkSocket&) = delete;
  NetlinkSocket& operator=(const NetlinkSocket&) = delete;
  ~NetlinkSocket();

  [[nodiscard]] int fd() const noexcept;
  /// The first of `count` sequence numbers in a row that nobody else gets.
  [[nodiscard]] std::uint32_t take_sequence(std::size_t count = 1) noexcept;

  void send(std::span<const char> bytes);
  void send(nl_msg* message);
  /// Reads the next datagram from the kernel or, if a dump's, all to its end. Throws Error, also
  /// after 10 s without one, and what the listener throws.
  void receive(Listener& listener);
  /// The next acknowledgement of a message whose sequence number is between `first` and `last`.
  Acknowledgement receive_acknowledgement(std::uint32_t first, std::uint32_t last);

  /// Sends one request and hands the answers to `each` after the last one came. Returns the
  /// kernel's errno or 0; EINTR if a dump was interrupted by changes six times in a row.
  int ask(nl_msg* request, Expect expect, const std::function<void(const nlmsghdr*)>& each);

  /// Whether the socket now hears what goes on in a multicast group (RTNLGRP_LINK …), and not any
  /// more. Those messages have the sequence number 0.
  bool join(int group) noexcept;
  void leave(int group) noexcept;

  /// Another one of the same protocol, for a dump that is left after its first answers. It is
  /// closed with this one: after a deletion from nftables the close of any socket waits for the
  /// kernel's grace period.
  NetlinkSocket& spare();

  /// Says that a deletion from nftables went through: whoever closes a netfilter socket before the
  /// kernel has freed what was deleted waits for that (10 ms and more; nft_rcv_nl_event), and keeps
  /// everybody else's transactions waiting. A background child then holds it open for as long.
  void linger() noexcept { lingers_ = true; }

  /// Who does what only waits; nullptr: nobody.
  [[nodiscard]] sys::BackgroundChild* background() const noexcept {
    return services_ == nullptr ? nullptr : services_->background;
  }
  /// A stretch of work on this socket, of which an observer hears; see Stretch for `object`.
  template <class Object>
  [[nodiscard]] Stretch observe(const Object& object) const {
    return {services_ == nullptr ? nullptr : services_->observer,
            protocol_ == NETLINK_ROUTE ? Phase::netlink : Phase::nft, object};
  }
  /// For what works beside the socket.
  [[nodiscard]] const Services& services() const noexcept {
    static const Services none;
    return services_ == nullptr ? none : *services_;
  }
  [[nodiscard]] const Folders& folders() const noexcept { return services().folders; }

  /// Lets the socket take `bytes` to the kernel at once and `answers` acknowledgements back.
  void make_room(std::size_t bytes, std::size_t answers);

 private:
  struct Callbacks;
  /// Of the receive() that is going on. libnl's frames, which know no exceptions, are between.
  struct Reading {
    Listener* listener = nullptr;
    bool stopped = false;
    std::exception_ptr failure;
  };

  const char* name() const noexcept;
  [[noreturn]] void fail_receiving(int code, int error) const;

  int protocol_;
  const Services* services_;
  Reading reading_;
  NlOwned<nl_sock> socket_;
  std::forward_list<NetlinkSocket> spares_;
  bool lingers_ = false;
};

}  // namespace unicni::net
