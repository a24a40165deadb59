// A request that is asked by itself.
#pragma once

#include <cstdint>

#include "net/attribute.h"

namespace unicni::net {

class Question {
 public:
  explicit Question(std::uint16_t type = 0, std::uint16_t flags = 0)
      : message_(make_message(type, flags, kRoom)) {}
  [[nodiscard]] nl_msg* message() const noexcept { return message_.get(); }

 private:
  /// Two names of nftables objects, the longest key, and more than a link or route needs.
  static constexpr std::size_t kRoom = 1024;
  NlOwned<nl_msg> message_;
};

}  // namespace unicni::net
