// Several netlink messages one behind the other, as one sendmsg(2) takes them.
#include "net/message_buffer.h"

#include <netlink/msg.h>

#include <utility>

#include "net/attribute.h"

namespace unicni::net {
namespace {
constexpr std::size_t kFirstAllocation = 8192;  // a whole attachment's batch without growing
}  // namespace

/// One message of libnl is built at a time and copied behind the others when it is complete, as
/// libnl itself sends them one by one.
nl_msg* MessageBuffer::add(std::uint16_t type, std::uint16_t flags, std::size_t space) {
  end_message();
  if (message_ && nlmsg_get_max_size(message_.get()) == NLMSG_ALIGN(space)) {
    restart_message(message_.get(), type, flags);
  } else {
    message_ = make_message(type, flags, space);
  }
  is_open_ = true;
  ++count_;
  return message_.get();
}

nlmsghdr* MessageBuffer::last() {
  end_message();
  return reinterpret_cast<nlmsghdr*>(bytes_.data() + last_);
}

/// Numbered last: a transaction that is tried again gets new numbers for the same bytes.
void MessageBuffer::number_from(std::uint32_t first) {
  end_message();
  for (std::size_t at = 0; at < bytes_.size();) {
    auto* message = reinterpret_cast<nlmsghdr*>(bytes_.data() + at);
    message->nlmsg_seq = first++;
    at += NLMSG_ALIGN(message->nlmsg_len);
  }
}

std::span<const char> MessageBuffer::bytes() {
  end_message();
  return bytes_;
}

/// `indices` are in order. Used when some objects turned out to be there already.
void MessageBuffer::drop(std::span<const std::size_t> indices) {
  end_message();
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
  is_open_ = false;
  last_ = 0;
  count_ = 0;
}

void MessageBuffer::end_message() {
  if (!is_open_) return;
  is_open_ = false;
  if (bytes_.capacity() < kFirstAllocation) bytes_.reserve(kFirstAllocation);
  last_ = bytes_.size();
  const nlmsghdr* header = nlmsg_hdr(message_.get());
  // libnl pads what it puts, so the whole length is written.
  bytes_.append(reinterpret_cast<const char*>(header), NLMSG_ALIGN(header->nlmsg_len));
}

}  // namespace unicni::net
