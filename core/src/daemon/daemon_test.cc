// Verbs and daemons on one socket: what is said, and what each makes of the other's silence.
#include "unicni/daemon.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <list>
#include <thread>

#include "base/error_for_test.h"
#include "base/temp_folder_for_test.h"
#include "daemon/address.h"
#include "unicni/daemon_listener.h"
#include "unicni/sys/file.h"
#include "unicni/sys/lock.h"

namespace unicni::daemon_test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

Deadline in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

class DaemonTest : public testing::Test {
 protected:
  [[nodiscard]] DaemonPlace place() const { return {"test", folder_ / "test.sock", ""}; }

  /// Serves in a thread as long as this lives.
  class Serving {
   public:
    using Answer = std::function<void(DaemonConnection&, DaemonConnection::Request)>;
    Serving(const DaemonPlace& place, Answer answer)
        : listener_(DaemonListener::open(place.name, place.socket)), answer_(std::move(answer)) {
      thread_ = std::thread([this] { serve(); });
    }
    ~Serving() {
      ends_ = true;
      thread_.join();
    }
    DaemonListener listener_;

   private:
    void serve() {
      while (!ends_) {
        pollfd ready{listener_.fd(), POLLIN, 0};
        ::poll(&ready, 1, 5);
        while (auto connection = listener_.accept()) {
          std::optional<DaemonConnection::Request> request;
          while (!connection->has_ended() && !(request = connection->read())) {
            pollfd more{connection->fd(), POLLIN, 0};
            ::poll(&more, 1, 1000);
          }
          if (request) answer_(*connection, *std::move(request));
        }
      }
    }
    Answer answer_;
    std::atomic<bool> ends_{false};
    std::thread thread_;
  };

  TempFolder folder_;
};

TEST_F(DaemonTest, ARequestAndItsDescriptorArriveAndTheAnswerComesBack) {
  const Serving serving(place(),
                        [](DaemonConnection& connection, DaemonConnection::Request request) {
                          std::string text(3, '\0');
                          if (::read(request.attached.get(), text.data(), text.size()) != 3)
                            text = "none";
                          connection.answer({"ok", {{"verb", request.line.word}, {"text", text}}});
                        });
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  ASSERT_EQ(::write(pipe[1], "abc", 3), 3);
  const Line answer = ask_daemon(place(), {"hello", {{"long", std::string(100'000, 'x')}}}, pipe[0],
                                 in(milliseconds(5000)));
  EXPECT_EQ(answer.word, "ok");
  EXPECT_EQ(answer.get("verb"), "hello");
  EXPECT_EQ(answer.get("text"), "abc");
  EXPECT_EQ(answer.get("protocol"), kDaemonProtocol);
  EXPECT_EQ(answer.get("version"), UNICNI_VERSION);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_F(DaemonTest, AnErrorIsThrownAsItWasMeant) {
  const Serving serving(place(), [](DaemonConnection& connection, DaemonConnection::Request) {
    connection.refuse(Error(Code::try_again, "not now", "later"));
  });
  const Error error = error_of([&] { ask_daemon(place(), {"x", {}}, -1, in(milliseconds(5000))); });
  EXPECT_TRUE(error.is(Code::try_again));
  EXPECT_EQ(error.msg(), "not now");
  EXPECT_EQ(error.details(), "later");
}

TEST_F(DaemonTest, WithoutAnExecutableNobodyIsStarted) {
  const Error error = error_of([&] { ask_daemon(place(), {"x", {}}, -1, in(milliseconds(500))); });
  EXPECT_TRUE(error.is(Code::not_available));
  EXPECT_THAT(error.msg(), HasSubstr("nobody listens on " + place().socket));
  EXPECT_EQ(error.details(), "start it: test daemon -socketpath " + place().socket);
}

TEST_F(DaemonTest, AnExecutableThatCantBeStartedLeavesNoSocket) {
  DaemonPlace absent = place();
  absent.executable = folder_ / "absent";
  const Error error = error_of([&] { ask_daemon(absent, {"x", {}}, -1, in(milliseconds(500))); });
  EXPECT_THAT(error.msg(), HasSubstr("start " + absent.executable));
  EXPECT_FALSE(sys::read_file(folder_ / "test.sock"));
}

/// Whether somebody holds the lock, or nobody can write there.
TEST_F(DaemonTest, OneThatCantBeReachedIsOneErrorAndIsNotTriedAgainByThatVerb) {
  DaemonPlace there = place();
  there.executable = "/bin/true";
  const auto hold =
      std::make_optional<sys::Lock>(daemon::lock_file(there.socket), 0600, in(milliseconds(0)));
  Daemons daemons;
  const auto ask = [&] { daemons.ask(there, {"x", {}}, -1, in(milliseconds(600))); };
  const Error held = error_of(ask);
  EXPECT_TRUE(held.is(Code::try_again));
  EXPECT_THAT(held.msg(), HasSubstr("held by pid " + std::to_string(::getpid())));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THROW(ask(), DaemonSilent);
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(300));

  DaemonPlace looped = there;
  looped.socket = folder_ / "loop";
  ASSERT_EQ(::symlink("loop", looped.socket.c_str()), 0);
  DaemonPlace in_file = there;
  in_file.socket = (folder_ / "file") + "/test.sock";
  sys::write_file_atomically(folder_ / "file", "", 0600);
  for (const DaemonPlace& each : {looped, in_file}) {
    const Error error = error_of([&] { daemons.ask(each, {"x", {}}, -1, in(milliseconds(600))); });
    EXPECT_TRUE(error.is(Code::not_available)) << error.msg();
    EXPECT_THAT(error.msg(), HasSubstr("the test daemon can't be reached: "));
    EXPECT_THAT(error.details(), HasSubstr("test daemon -socketpath " + each.socket));
  }
}

TEST_F(DaemonTest, OneThatEndsAtOnceIsTold) {
  DaemonPlace ending = place();
  ending.executable = "/bin/true";
  const Error error = error_of([&] { ask_daemon(ending, {"x", {}}, -1, in(milliseconds(5000))); });
  EXPECT_TRUE(error.is(Code::not_available)) << error.msg();
  EXPECT_THAT(error.details(), HasSubstr("see what it says"));
}

TEST_F(DaemonTest, OneThatHangsIsNamedAtTheDeadline) {
  std::list<DaemonConnection> held;
  const Serving serving(place(), [&](DaemonConnection& connection, DaemonConnection::Request) {
    held.push_back(std::move(connection));
  });
  const auto start = std::chrono::steady_clock::now();
  const Error error = error_of([&] { ask_daemon(place(), {"x", {}}, -1, in(milliseconds(200))); });
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2000));
  EXPECT_TRUE(error.is(Code::try_again));
  EXPECT_THAT(error.msg(), HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_THAT(error.details(), HasSubstr("kill -9 " + std::to_string(::getpid())));
}

TEST_F(DaemonTest, OneThatDiesOverARequestIsAskedAgain) {
  std::atomic<int> asked{0};
  const Serving serving(place(), [&](DaemonConnection& connection, DaemonConnection::Request) {
    if (++asked == 2) connection.answer({"ok", {}});
  });
  EXPECT_EQ(ask_daemon(place(), {"x", {}}, -1, in(milliseconds(5000))).word, "ok");
  EXPECT_EQ(asked, 2);
}

TEST_F(DaemonTest, AStrangerOnTheSocketIsNamedWithTheCommandThatStopsIt) {
  const std::string path = place().socket;
  const sys::Fd stranger = daemon::listen(path);
  std::thread answers([&] {
    pollfd ready{stranger.get(), POLLIN, 0};
    ::poll(&ready, 1, 5000);
    const sys::Fd connection(::accept(stranger.get(), nullptr, nullptr));
    const std::string text = "HTTP/1.1 400 Bad Request\r\n\r\n";
    EXPECT_GT(::write(connection.get(), text.data(), text.size()), 0);
  });
  EXPECT_THROW(
      {
        try {
          ask_daemon(place(), {"x", {}}, -1, in(milliseconds(5000)));
        } catch (const DaemonStranger& error) {
          EXPECT_TRUE(error.is(Code::not_available));
          EXPECT_THAT(error.msg(), HasSubstr("pid " + std::to_string(::getpid())));
          EXPECT_EQ(error.details(), "stop it: kill " + std::to_string(::getpid()));
          throw;
        }
      },
      DaemonStranger);
  answers.join();
}

TEST_F(DaemonTest, ADaemonForAnotherFolderIsAStranger) {
  const Serving serving(place(),
                        [](DaemonConnection& connection, const DaemonConnection::Request& request) {
                          EXPECT_EQ(request.line.get("folder"), "/run/own");
                          connection.answer({std::string(kElsewhere), {{"folder", "/run/theirs"}}});
                        });
  DaemonPlace own = place();
  own.folder = "/run/own";
  const Error error = error_of([&] { ask_daemon(own, {"x", {}}, -1, in(milliseconds(5000))); });
  EXPECT_TRUE(error.is(Code::not_available));
  EXPECT_THAT(error.msg(), HasSubstr("keeps its files in /run/theirs, not in /run/own"));
}

TEST_F(DaemonTest, OneThatWasSilentIsNotAskedAgainByThatVerb) {
  std::atomic<int> asked{0};
  std::list<DaemonConnection> held;
  const Serving serving(place(), [&](DaemonConnection& connection, DaemonConnection::Request) {
    ++asked;
    held.push_back(std::move(connection));
  });
  Daemons daemons;
  const auto ask = [&] { daemons.ask(place(), {"x", {}}, -1, in(milliseconds(200))); };
  EXPECT_THROW(ask(), DaemonSilent);
  EXPECT_THROW(ask(), DaemonSilent);
  EXPECT_EQ(asked, 1);
  DaemonPlace other = place();
  other.socket += "2";
  EXPECT_TRUE(error_of([&] {
                daemons.ask(other, {"x", {}}, -1, in(milliseconds(200)));
              }).is(Code::not_available))
      << "another daemon is asked";
}

/// The clean-up before an ADD asks so, for what no file tells of.
TEST_F(DaemonTest, AQuestionThatStartsNobodySaysNothingOfOneThatDoes) {
  DaemonPlace starting = place();
  starting.executable = folder_ / "absent";
  Daemons daemons;
  const auto msg = [&](const DaemonPlace& of) {
    return error_of([&] { daemons.ask(of, {"x", {}}, -1, in(milliseconds(300))); }).msg();
  };
  EXPECT_THAT(msg(place()), HasSubstr("nobody listens"));
  EXPECT_THAT(msg(starting), HasSubstr("start " + starting.executable));
}

TEST_F(DaemonTest, ADaemonOfAnotherNameIsAStranger) {
  DaemonPlace other = place();
  other.name = "other";
  const Serving serving(other, [](DaemonConnection& connection, DaemonConnection::Request) {
    connection.answer({"ok", {}});
  });
  EXPECT_THROW(ask_daemon(place(), {"x", {}}, -1, in(milliseconds(5000))), DaemonStranger);
}

TEST_F(DaemonTest, WhatIsNoRequestIsRefused) {
  const Serving serving(place(), [](DaemonConnection&, DaemonConnection::Request) {
    ADD_FAILURE() << "no request came";
  });
  const auto connection = daemon::connect("test", place().socket, in(milliseconds(1000)));
  ASSERT_TRUE(connection);
  const std::string text = "CONNECT /_goRPC_ HTTP/1.0\n\n";
  ASSERT_GT(::write(connection->get(), text.data(), text.size()), 0);
  pollfd ready{connection->get(), POLLIN, 0};
  ::poll(&ready, 1, 5000);
  char answer[512]{};
  ASSERT_GT(::read(connection->get(), answer, sizeof answer - 1), 0);
  EXPECT_THAT(answer, HasSubstr("error "));
}

/// How many descriptors this process has.
std::size_t open_descriptors() { return sys::list_folder("/proc/self/fd").size(); }

TEST_F(DaemonTest, OfSeveralDescriptorsOneIsTakenAndNoneStaysOpen) {
  DaemonListener listener = DaemonListener::open("test", place().socket);
  const std::size_t before = open_descriptors();
  {
    const auto verb = daemon::connect("test", place().socket, in(milliseconds(1000)));
    auto connection = listener.accept();
    ASSERT_TRUE(verb && connection);
    std::string text = "x";
    iovec part{text.data(), text.size()};
    const int sent[] = {0, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof sent)]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof sent);
    std::memcpy(CMSG_DATA(header), sent, sizeof sent);
    ASSERT_EQ(::sendmsg(verb->get(), &message, 0), 1);
    EXPECT_FALSE(connection->read());
    EXPECT_EQ(open_descriptors(), before + 3) << "both ends, and one that was attached";
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(DaemonTest, ASecondListenerIsRefusedAndADeadOnesFileIsReplaced) {
  {
    const Serving serving(place(), [](DaemonConnection& connection, DaemonConnection::Request) {
      connection.answer({"ok", {}});
    });
    EXPECT_THAT(error_of([&] { DaemonListener::open("test", place().socket); }).msg(),
                HasSubstr("listens on " + place().socket + " already"));
  }
  // Its file is there yet, as after kill -9.
  ASSERT_EQ(::access(place().socket.c_str(), F_OK), 0);
  EXPECT_FALSE(daemon::connect("test", place().socket, in(milliseconds(100))));
  DaemonListener again = DaemonListener::open("test", place().socket);
  EXPECT_TRUE(daemon::connect("test", place().socket, in(milliseconds(100))));
  again.remove();
  EXPECT_NE(::access(place().socket.c_str(), F_OK), 0);
}

TEST_F(DaemonTest, OneWhoseFileWasReplacedIsToldAndLeavesTheOthersAlone) {
  DaemonListener first = DaemonListener::open("test", place().socket);
  EXPECT_FALSE(first.is_displaced());
  ASSERT_EQ(::unlink(place().socket.c_str()), 0);
  EXPECT_FALSE(first.is_displaced()) << "nobody has its place";
  const DaemonListener second = DaemonListener::open("test", place().socket);
  EXPECT_TRUE(first.is_displaced());
  EXPECT_FALSE(second.is_displaced());
  first.remove();
  EXPECT_TRUE(daemon::connect("test", place().socket, in(milliseconds(100))));
}

TEST_F(DaemonTest, TheSocketOfTheVerbGivesWayToOneOfTheDaemonsOwn) {
  const int made = daemon::listen(place().socket).release();
  const auto early = daemon::connect("test", place().socket, in(milliseconds(100)));
  ::setenv(daemon::kListenerVariable, std::to_string(made).c_str(), 1);
  DaemonListener listener = DaemonListener::open("test", place().socket);
  EXPECT_EQ(listener.fd(), made) << "first come those who wait already";
  EXPECT_TRUE(listener.accept());
  EXPECT_FALSE(listener.accept());
  EXPECT_NE(listener.fd(), made);
  const auto late = daemon::connect("test", place().socket, in(milliseconds(100)));
  EXPECT_TRUE(listener.accept());
  EXPECT_FALSE(listener.is_displaced());
}

TEST_F(DaemonTest, AFileThatIsNoSocketIsNotTouched) {
  sys::write_file_atomically(place().socket, "precious", 0600);
  EXPECT_THAT(error_of([&] { DaemonListener::open("test", place().socket); }).msg(),
              HasSubstr("exists and is no socket"));
  EXPECT_EQ(sys::read_file(place().socket), "precious");
}

TEST_F(DaemonTest, ASocketOfSystemdIsTakenAndNotRemoved) {
  const sys::Fd made = daemon::listen(place().socket);
  // The number 3 is what systemd promises; the test's own descriptor of that number comes back.
  const sys::Fd before(::fcntl(3, F_DUPFD_CLOEXEC, 10));
  ASSERT_GE(::dup2(made.get(), 3), 0);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  {
    DaemonListener listener = DaemonListener::open("test", place().socket);
    EXPECT_EQ(listener.fd(), 3);
    EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
    EXPECT_TRUE(daemon::connect("test", place().socket, in(milliseconds(100))));
    listener.remove();
  }
  if (before) ::dup2(before.get(), 3);
  EXPECT_EQ(::access(place().socket.c_str(), F_OK), 0);
  ::setenv("LISTEN_FDS", "2", 1);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_THAT(error_of([&] { DaemonListener::open("test", place().socket); }).msg(),
              HasSubstr("systemd gave 2 sockets"));
}

TEST_F(DaemonTest, ASocketMayBeInTheRootAndAFolderIsMade) {
  const std::string path = "/unicni-daemon-test-" + std::to_string(::getpid());
  for (const std::string& each : {path, folder_ / "a/b/test.sock"}) {
    DaemonListener listener = DaemonListener::open("test", each);
    EXPECT_TRUE(daemon::connect("test", each, in(milliseconds(100))));
    listener.remove();
    sys::remove_file(daemon::lock_file(each));
  }
  EXPECT_THAT(
      error_of([&] { DaemonListener::open("test", "/" + std::string(300, 'x')); }).details(),
      HasSubstr("at most 107 bytes"));
}

TEST_F(DaemonTest, APathThatIsNoneIsRefused) {
  for (const std::string& path : {std::string("relative"), "/" + std::string(200, 'x')}) {
    EXPECT_TRUE(error_of([&] {
                  ask_daemon({"test", path, ""}, {"x", {}}, -1, in(milliseconds(100)));
                }).is(Code::invalid_config));
  }
}

}  // namespace
}  // namespace unicni::daemon_test
