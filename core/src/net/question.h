// A request on the stack: asking needs no heap.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>

namespace unicni::net {

struct Question {
  alignas(nlmsghdr) char bytes[256]{};

  explicit Question(std::uint16_t type, std::uint16_t flags = 0) {
    mnl_nlmsg_put_header(bytes);
    message()->nlmsg_type = type;
    message()->nlmsg_flags = flags;
  }
  nlmsghdr* message() { return reinterpret_cast<nlmsghdr*>(bytes); }
};

}  // namespace unicni::net
