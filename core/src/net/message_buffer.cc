#include "net/message_buffer.h"

#include <cstdlib>
#include <utility>

#include "net/attribute.h"

namespace unicni::net {
namespace {
constexpr std::size_t kFirstAllocation = 8192;  // a whole attachment's batch without growing
}  // namespace

nlmsghdr* MessageBuffer::add(std::uint16_t type, std::uint16_t flags, std::size_t space) {
  close_last();
  if (bytes_.capacity() == 0) bytes_.reserve(kFirstAllocation);
  last_ = bytes_.size();
  bytes_.resize(last_ + NLMSG_ALIGN(space));
  ++count_;
  nlmsghdr* message = last();
  start_message(message, NLMSG_ALIGN(space));
  message->nlmsg_type = type;
  message->nlmsg_flags = flags;
  return message;
}

void MessageBuffer::number_from(std::uint32_t first) {
  close_last();
  for (std::size_t at = 0; at < bytes_.size();) {
    auto* message = reinterpret_cast<nlmsghdr*>(bytes_.data() + at);
    message->nlmsg_seq = first++;
    at += NLMSG_ALIGN(message->nlmsg_len);
  }
}

std::span<const char> MessageBuffer::bytes() {
  close_last();
  return bytes_;
}

void MessageBuffer::drop(std::span<const std::size_t> indices) {
  close_last();
  std::string kept;
  std::size_t index = 0;
  for (std::size_t at = 0; at < bytes_.size(); ++index) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(bytes_.data() + at);
    const std::size_t size = NLMSG_ALIGN(message->nlmsg_len);
    if (!indices.empty() && indices.front() == index) {
      indices = indices.subspan(1);
      --count_;
    } else {
      last_ = kept.size();
      kept.append(bytes_, at, size);
    }
    at += size;
  }
  bytes_ = std::move(kept);
}

void MessageBuffer::clear() noexcept {
  bytes_.clear();
  last_ = 0;
  count_ = 0;
}

void MessageBuffer::close_last() {
  if (count_ == 0) return;
  const std::size_t end = last_ + NLMSG_ALIGN(last()->nlmsg_len);
  if (end > bytes_.size()) std::abort();  // somebody wrote past take_room(): memory is damaged
  finish_message(last());
  bytes_.resize(end);
}

}  // namespace unicni::net
