#include "unicni/sys/tcp.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "base/deadline_for_test.h"
#include "base/error_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::sys::tcp_test {
namespace {

using testing::HasSubstr;

const IpAddress kHere = IpAddress::parse("127.0.0.1").value();

/// Listens on a port of loopback that the kernel chooses; accepts nothing by itself.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
    port_ = ntohs(name.sin_port);
  }
  void listen() const { EXPECT_EQ(::listen(fd_.get(), 8), 0); }
  [[nodiscard]] Fd accept() const { return Fd(::accept(fd_.get(), nullptr, nullptr)); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
};

/// One that says `answer` once it has heard a byte, and hangs up.
std::string ask_one_that_says(const std::string& answer, std::size_t limit = kFileLimit) {
  const Listener listener;
  listener.listen();
  std::thread server([&] {
    const Fd connection = listener.accept();
    char heard = 0;
    EXPECT_EQ(::recv(connection.get(), &heard, 1, 0), 1);
    EXPECT_EQ(heard, '?');
    (void)::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  });
  const auto join = [&](const std::string& text) {
    server.join();
    return text;
  };
  try {
    return join(ask_tcp(kHere, listener.port(), "?", soon(), limit));
  } catch (const Error& error) {
    return join(error.msg());
  }
}

TEST(AskTcp, HearsAllThatIsSaid) {
  EXPECT_EQ(ask_one_that_says("yes"), "yes");
  EXPECT_EQ(ask_one_that_says(std::string(100'000, 'x')).size(), 100'000U);
  EXPECT_EQ(ask_one_that_says(""), "");
}

TEST(AskTcp, AnAnswerBeyondTheLimitIsRefused) {
  EXPECT_THAT(ask_one_that_says(std::string(100'000, 'x'), 1000), HasSubstr("EFBIG"));
}

TEST(AskTcp, ASilentServerIsNamedAtTheDeadline) {
  const Listener listener;
  listener.listen();  // the kernel takes the connection, and nobody answers
  const Error error = error_of(
      [&] { (void)ask_tcp(kHere, listener.port(), "?", std::chrono::steady_clock::now()); });
  EXPECT_TRUE(error.is(Code::try_again));
  EXPECT_THAT(error.msg(),
              HasSubstr("wait for server 127.0.0.1:" + std::to_string(listener.port())));
}

TEST(AskTcp, WhereNobodyListensIsSaid) {
  const Listener listener;  // has the port, and doesn't listen
  EXPECT_THAT(error_of([&] { (void)ask_tcp(kHere, listener.port(), "?", soon()); }).msg(),
              AllOf(HasSubstr("connect to server 127.0.0.1:"), HasSubstr("ECONNREFUSED")));
}

}  // namespace
}  // namespace unicni::sys::tcp_test
