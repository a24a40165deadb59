#include "protocol/request.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <map>
#include <string>
#include <thread>

#include "protocol/name.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::protocol::request_test {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Environment> read(const Variables& variables) {
  return read_environment([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

// The message of the refusal, "" if there is none.
std::string refusal(const Variables& variables) {
  try {
    const auto env = read(variables);
    EXPECT_TRUE(env);
    return "";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::invalid_environment));
    return error.msg();
  }
}

Variables complete(const std::string& command) {
  return {{"CNI_COMMAND", command},      {"CNI_CONTAINERID", "ctr-1_a.b"},
          {"CNI_NETNS", "/run/netns/x"}, {"CNI_IFNAME", "eth0"},
          {"CNI_ARGS", "A=B"},           {"CNI_PATH", "/a:/b"}};
}

TEST(Environment, CompleteAdd) {
  auto variables = complete("ADD");
  variables["TRACEPARENT"] = "00-1-2-3";
  variables["BAGGAGE"] = "k=v";
  variables["CNI_PATH"] = ":/a::/b:";
  const auto env = read(variables);
  ASSERT_TRUE(env);
  EXPECT_EQ(env->command, Command::add);
  EXPECT_EQ(env->container_id, "ctr-1_a.b");
  EXPECT_EQ(env->netns, "/run/netns/x");
  EXPECT_EQ(env->if_name, "eth0");
  EXPECT_EQ(env->args, "A=B");
  EXPECT_EQ(env->path, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_FALSE(env->netns_override);
  EXPECT_EQ(env->trace, (std::vector<std::pair<std::string, std::string>>{
                            {"TRACEPARENT", "00-1-2-3"}, {"BAGGAGE", "k=v"}}));
}

TEST(Environment, NoCommandAsksForTheAboutText) {  // EXEC-10
  EXPECT_FALSE(read({}));
  EXPECT_FALSE(read({{"CNI_COMMAND", ""}, {"CNI_IFNAME", "a/b"}}));
}

TEST(Environment, MissingVariablesAreAllNamedInOrder) {  // EXEC-04, EXEC-05
  struct {
    Variables variables;
    const char* message;
  } const cases[] = {
      {{{"CNI_COMMAND", "ADD"}},
       "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing"},
      {{{"CNI_COMMAND", "CHECK"}},
       "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing"},
      {{{"CNI_COMMAND", "DEL"}},
       "required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing"},
      {{{"CNI_COMMAND", "GC"}}, "required env variables [CNI_PATH] missing"},
      {{{"CNI_COMMAND", "STATUS"}, {"CNI_PATH", ""}}, "required env variables [CNI_PATH] missing"},
      {{{"CNI_COMMAND", "ADD"}, {"CNI_CONTAINERID", "c"}, {"CNI_PATH", "/"}, {"CNI_IFNAME", ""}},
       "required env variables [CNI_NETNS,CNI_IFNAME] missing"},
      {{{"CNI_COMMAND", "VERSION"}}, ""},
      {{{"CNI_COMMAND", "NOPE"}}, ""},
  };
  for (const auto& test : cases) EXPECT_EQ(refusal(test.variables), test.message);
}

TEST(Environment, BadValuesAreReportedBeforeMissingOnes) {  // EXEC-06
  EXPECT_EQ(refusal({{"CNI_COMMAND", "ADD"}, {"CNI_CONTAINERID", "_c"}}),
            "invalid characters in containerID");
  EXPECT_EQ(refusal({{"CNI_COMMAND", "ADD"}, {"CNI_CONTAINERID", "c"}, {"CNI_IFNAME", "a/b"}}),
            "interface name contains / or : or whitespace characters");
  // The container's id comes first.
  EXPECT_EQ(refusal({{"CNI_COMMAND", "ADD"}, {"CNI_CONTAINERID", "a b"}, {"CNI_IFNAME", "a/b"}}),
            "invalid characters in containerID");
}

TEST(Environment, GcAndStatusIgnoreTheAttachment) {  // GC-06, STAT-04
  for (const char* command : {"GC", "STATUS", "VERSION", "NOPE"}) {
    EXPECT_EQ(refusal({{"CNI_COMMAND", command},
                       {"CNI_CONTAINERID", "//"},
                       {"CNI_IFNAME", "a b"},
                       {"CNI_PATH", "/"}}),
              "");
  }
}

TEST(Environment, EmptyNetnsIsFineForDel) {  // DEL-05
  auto variables = complete("DEL");
  variables.erase("CNI_NETNS");
  EXPECT_EQ(refusal(variables), "");
}

TEST(Environment, UnknownCommandIsRefusedLater) {  // EXEC-09
  for (const char* text : {"add", "NOPE", "ADD ", "Version"}) {
    const auto env = read({{"CNI_COMMAND", text}});
    ASSERT_TRUE(env) << text;
    EXPECT_FALSE(env->command) << text;
    try {
      require_known_command(*env);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_environment));
      EXPECT_EQ(error.msg(), std::string("unknown CNI_COMMAND: ") + text);
    }
  }
  EXPECT_EQ(require_known_command(*read(complete("DEL"))), Command::del);
}

TEST(Environment, NetnsOverride) {
  struct {
    const char* text;
    bool on;
  } const cases[] = {{"true", true}, {"TRUE", true}, {"TrUe", true}, {"1", true},
                     {"yes", false}, {"", false},    {"0", false},   {"11", false}};
  for (const auto& test : cases) {
    auto variables = complete("ADD");
    variables["CNI_NETNS_OVERRIDE"] = test.text;
    EXPECT_EQ(read(variables)->netns_override, test.on) << test.text;
  }
}

TEST(Name, ContainerIdsAndNetworkNames) {  // EXEC-07, CONF-03
  for (const char* text : {"a", "0", "a_b", "a.b-c", "9...", "Z-"}) {
    EXPECT_TRUE(valid_name(text)) << text;
  }
  for (const char* text : {"", "_c", ".a", "-a", "a b", "c\n", "a/b", "a\xc3\xa4", "a:b"}) {
    EXPECT_FALSE(valid_name(text)) << text;
  }
  EXPECT_FALSE(valid_name(std::string_view("a\0b", 3)));
}

TEST(Name, InterfaceNames) {  // EXEC-08
  for (const char* text : {"e", "eth0", "123456789012345", "...", ".a", "a-b_c@d", "\xc3\xa4",
                           "a\xff", "\xa0", "\x85", "a\xc2", "\xe2\x80", "\xe2\x80\x8b"}) {
    EXPECT_FALSE(refuse_if_name(text)) << text;
  }
  EXPECT_EQ(refuse_if_name(""), "interface name is empty");
  EXPECT_EQ(refuse_if_name("1234567890123456"), "interface name is too long");
  EXPECT_EQ(refuse_if_name("."), "interface name is . or ..");
  EXPECT_EQ(refuse_if_name(".."), "interface name is . or ..");
  for (const char* text :
       {"a/b", "a:b", "a b", "a\tb", "a\n", "a\vb", "a\fb", "\r", "a\xc2\x85", "a\xc2\xa0",
        "\xe1\x9a\x80", "\xe2\x80\x80", "x\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9",
        "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"}) {
    EXPECT_EQ(refuse_if_name(text), "interface name contains / or : or whitespace characters")
        << text;
  }
}

TEST(Name, WhatTheKernelWouldRefuseOrChange) {
  for (const char* text : {"eth%d", "%", "a\xa0", "\xa0", "\xc3\xa0"}) {
    EXPECT_FALSE(refuse_if_name(text)) << text;
    EXPECT_TRUE(refuse_new_if_name(text)) << text;
    for (const char* command : {"ADD", "CHECK", "DEL"}) {
      auto variables = complete(command);
      variables["CNI_IFNAME"] = text;
      const bool refused = !refusal(variables).empty();
      EXPECT_EQ(refused, command != std::string("DEL")) << command << ' ' << text;
    }
  }
  for (const char* text : {"eth0", "\xc3\xa4th0", "\xe4", "\x01", "\x7f", "\x85", "\xff"}) {
    EXPECT_FALSE(refuse_new_if_name(text)) << text;
  }
  EXPECT_TRUE(refuse_new_if_name("a/b"));
}

TEST(Args, Pairs) {  // ARGS-01 to ARGS-03, ARGS-06
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse_args(""), Pairs{});
  EXPECT_EQ(parse_args("A=1"), (Pairs{{"A", "1"}}));
  EXPECT_EQ(parse_args("A="), (Pairs{{"A", ""}}));
  EXPECT_EQ(parse_args("ip=1; IP=2"), (Pairs{{"ip", "1"}, {" IP", "2"}}));
  // ARGS-07
  EXPECT_EQ(parse_args("IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=p").size(), 3U);
  for (const char* text : {"A", "A=1;", "A=b=c", ";", ";A=1", "A=1;;B=2", "A=1;B"}) {
    try {
      parse_args(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_environment)) << text;  // ARGS-09
      EXPECT_EQ(error.msg().substr(0, 19), "ARGS: invalid pair ") << text;
    }
  }
}

// A pipe whose write end gets `text` from a thread; closed afterwards.
class Feed {
 public:
  explicit Feed(std::string text) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    out_ = sys::Fd(ends[0]);
    writer_ = std::thread([in = sys::Fd(ends[1]), text = std::move(text)] {
      std::string_view rest = text;
      while (!rest.empty()) {
        const ssize_t count = ::write(in.get(), rest.data(), rest.size());
        if (count <= 0) return;
        rest.remove_prefix(static_cast<std::size_t>(count));
      }
    });
  }
  ~Feed() { writer_.join(); }
  [[nodiscard]] int fd() const { return out_.get(); }

 private:
  sys::Fd out_;
  std::thread writer_;
};

TEST(Stdin, ReadsAll) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i);
  for (const std::string& given : {std::string(), std::string("{}"), text}) {
    Feed feed(given);
    EXPECT_EQ(read_request(feed.fd(), kRequestLimit), given);
  }
}

TEST(Stdin, WaitsOnANonBlockingPipe) {
  Feed feed("{\"a\":1}");
  ASSERT_EQ(::fcntl(feed.fd(), F_SETFL, O_NONBLOCK), 0);
  EXPECT_EQ(read_request(feed.fd(), kRequestLimit), "{\"a\":1}");
}

TEST(Stdin, Limit) {
  {
    Feed feed(std::string(1000, ' '));
    EXPECT_EQ(read_request(feed.fd(), 1000).size(), 1000U);
  }
  Feed feed(std::string(1001, ' '));
  try {
    read_request(feed.fd(), 1000);
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::decode));
  }
}

TEST(Stdin, UnreadableIsCodeFive) {  // EXEC-13
  try {
    read_request(-1, kRequestLimit);
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::io));
    EXPECT_NE(error.msg().find("EBADF"), std::string::npos) << error.msg();
  }
}

TEST(Stdin, OptionalNeverFailsAndNeverHangs) {  // VERN-03
  EXPECT_EQ(read_optional_request(1000), "");   // closed
  {
    Feed feed("{\"cniVersion\":\"1.0.0\"}");
    EXPECT_EQ(read_optional_request(feed.fd()), "{\"cniVersion\":\"1.0.0\"}");
  }
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const sys::Fd out(ends[0]);
  const sys::Fd in(ends[1]);
  ASSERT_EQ(::write(in.get(), "{}", 2), 2);  // and the write end stays open
  EXPECT_EQ(read_optional_request(out.get()), "{}");
}

}  // namespace
}  // namespace unicni::protocol::request_test
