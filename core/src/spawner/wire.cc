#include "spawner/wire.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "unicni/error.h"

namespace unicni::spawner {
namespace {

constexpr std::size_t kMostBytes = 64;  // of a message on the control socket

/// Appends with the NUL. A NUL inside of a text ends it, as it would for execve(2).
void append(std::string& to, const std::string& text) { to.append(text.c_str()).push_back('\0'); }

char* next_text(char*& at, const char* end) {
  if (at == end) return nullptr;
  char* const text = at;
  at = static_cast<char*>(std::memchr(at, 0, static_cast<std::size_t>(end - at))) + 1;
  return text;
}

bool next_texts(char*& at, const char* end, std::size_t count, std::vector<char*>& texts) {
  for (std::size_t i = 0; i < count; ++i) {
    texts.push_back(next_text(at, end));
    if (texts.back() == nullptr) return false;
  }
  texts.push_back(nullptr);
  return true;
}

}  // namespace

std::int64_t to_wire(Deadline deadline) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch()).count();
}

Deadline from_wire(std::int64_t nanoseconds) {
  return Deadline(
      std::chrono::duration_cast<Deadline::duration>(std::chrono::nanoseconds(nanoseconds)));
}

std::string print_request(const std::string& program, const std::vector<std::string>& arguments,
                          const std::vector<std::string>& env, Deadline deadline) {
  std::string request(sizeof(Head), '\0');
  append(request, program);
  append(request, program);
  for (const std::string& text : arguments) append(request, text);
  for (const std::string& text : env) append(request, text);
  const std::size_t size = request.size() - sizeof(Head);
  if (size > kMostText) throw system_error(E2BIG, "execute " + program);
  const Head head{static_cast<std::uint32_t>(size),
                  static_cast<std::uint32_t>(arguments.size() + 1),
                  static_cast<std::uint32_t>(env.size()), 0, to_wire(deadline)};
  std::memcpy(request.data(), &head, sizeof head);
  return request;
}

bool parse_request(const Head& head, std::string& text, Parsed& parsed) {
  if (text.size() != head.size || text.empty() || text.back() != '\0') return false;
  char* at = text.data();
  const char* const end = at + text.size();
  parsed.program = next_text(at, end);
  return next_texts(at, end, head.arguments, parsed.argv) &&
         next_texts(at, end, head.variables, parsed.env) && at == end;
}

int send_message(int socket, std::string_view bytes, const std::vector<int>& fds) noexcept {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kRunFds)> control{};
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const std::size_t size = sizeof(int) * fds.size();
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), fds.data(), size);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

Message receive_message(int socket) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kRunFds)> control{};
  std::array<char, kMostBytes> bytes{};
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  Message got;
  got.again = size < 0 && errno == EAGAIN;
  if (size <= 0) return got;
  got.bytes.assign(bytes.data(), static_cast<std::size_t>(size));
  for (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(header))) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      got.fds.emplace_back(fd);
    }
  }
  return got;
}

}  // namespace unicni::spawner
