// A request on the stack: asking needs no heap.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>

#include "net/attribute.h"

namespace unicni::net {

struct Question {
  /// Two names of nftables objects, the longest key, and more than a link or route needs.
  alignas(nlmsghdr) char bytes[1024]{};

  explicit Question(std::uint16_t type = 0, std::uint16_t flags = 0) {
    start_message(message(), sizeof bytes);
    message()->nlmsg_type = type;
    message()->nlmsg_flags = flags;
  }
  nlmsghdr* message() { return reinterpret_cast<nlmsghdr*>(bytes); }
};

}  // namespace unicni::net
