// A request that is asked by itself, not in a batch.
#pragma once

#include <cstdint>

#include "net/attribute.h"

namespace unicni::net {

class SingleRequest {
 public:
  explicit SingleRequest(std::uint16_t type = 0, std::uint16_t flags = 0)
      : message_(make_message(type, flags, kRoom)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): so that it is filled and asked like any message
  operator nl_msg*() const noexcept { return message_.get(); }

 private:
  /// Two names of nftables objects, the longest key, and more than a link or route needs.
  static constexpr std::size_t kRoom = 1024;
  NlOwned<nl_msg> message_;
};

}  // namespace unicni::net
