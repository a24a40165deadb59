#include "spawner/wire.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/deadline_for_test.h"
#include "base/error_for_test.h"

namespace unicni::spawner::wire_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StrEq;

struct Request {
  Head head;
  std::string text;
  explicit Request(const std::string& bytes) : text(bytes.substr(sizeof head)) {
    std::memcpy(&head, bytes.data(), sizeof head);
  }
};

TEST(Wire, RequestIsReadAsItWasWritten) {
  const Deadline deadline = soon();
  Request request(print_request("/bin/x", {"-a", ""}, {"A=1", "B"}, deadline));
  Parsed parsed;
  ASSERT_TRUE(parse_request(request.head, request.text, parsed));
  EXPECT_STREQ(parsed.program, "/bin/x");
  EXPECT_THAT(parsed.argv, ElementsAre(StrEq("/bin/x"), StrEq("-a"), StrEq(""), nullptr));
  EXPECT_THAT(parsed.env, ElementsAre(StrEq("A=1"), StrEq("B"), nullptr));
  EXPECT_EQ(from_wire(request.head.deadline), deadline);
}

TEST(Wire, TextEndsWhereExecveSeesItsEnd) {
  Request request(print_request("/x", {std::string("a\0b", 3)}, {}, soon()));
  Parsed parsed;
  ASSERT_TRUE(parse_request(request.head, request.text, parsed));
  EXPECT_THAT(parsed.argv, ElementsAre(StrEq("/x"), StrEq("a"), nullptr));
}

TEST(Wire, RequestWithOtherCountsOfTextsIsRefused) {
  const auto is_read = [](auto change) {
    Request request(print_request("/bin/x", {"-a"}, {"A=1"}, soon()));
    change(request);
    Parsed parsed;
    return parse_request(request.head, request.text, parsed);
  };
  EXPECT_TRUE(is_read([](Request&) {}));
  EXPECT_FALSE(is_read([](Request& request) { ++request.head.arguments; }));
  EXPECT_FALSE(is_read([](Request& request) { --request.head.variables; }));
  EXPECT_FALSE(is_read([](Request& request) { request.text.back() = 'x'; }));
  EXPECT_FALSE(is_read([](Request& request) { request.text.clear(); }));
  EXPECT_FALSE(is_read([](Request& request) {
    request.head = {};
    request.text.clear();
  }));
  EXPECT_FALSE(is_read([](Request& request) { ++request.head.size; }));
}

TEST(Wire, RequestThatNoKernelTakesIsRefused) {
  EXPECT_THAT(
      error_of([] { print_request("/x", {std::string(kMostText, 'a')}, {}, soon()); }).msg(),
      HasSubstr("E2BIG"));
}

class Sockets : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    near_ = sys::Fd(ends[0]);
    far_ = sys::Fd(ends[1]);
  }
  sys::Fd near_;
  sys::Fd far_;
};

TEST_F(Sockets, MessageBringsItsDescriptors) {
  std::array<int, 2> pipe{-1, -1};
  ASSERT_EQ(::pipe(pipe.data()), 0);  // NOLINT(android-cloexec-pipe)
  const sys::Fd read(pipe[0]);
  sys::Fd write(pipe[1]);
  EXPECT_EQ(send_message(near_.get(), "hello", {write.get()}), 0);
  write.reset();
  Message message = receive_message(far_.get());
  EXPECT_EQ(message.bytes, "hello");
  ASSERT_EQ(message.fds.size(), 1U);
  EXPECT_EQ(::write(message.fds[0].get(), "x", 1), 1);
  message.fds.clear();
  std::array<char, 4> text{};
  EXPECT_EQ(::read(read.get(), text.data(), text.size()), 1);
  EXPECT_EQ(::read(read.get(), text.data(), text.size()), 0) << "nobody else has it";
}

TEST_F(Sockets, NothingYetAndNothingEverAreTold) {
  Message message = receive_message(far_.get());
  EXPECT_TRUE(message.again);
  near_.reset();
  message = receive_message(far_.get());
  EXPECT_FALSE(message.again);
  EXPECT_EQ(message.bytes, "");
  EXPECT_EQ(send_message(far_.get(), "x", {}), EPIPE) << "and no SIGPIPE";
}

}  // namespace
}  // namespace unicni::spawner::wire_test
