#include "flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "base/error_for_test.h"
#include "unicni/error.h"

namespace unicni::dhcp::flags_test {
namespace {

using testing::HasSubstr;

DaemonFlags parse(std::initializer_list<const char*> words) {
  const std::vector<const char*> argv(words);
  return parse_flags(static_cast<int>(argv.size()), argv.data());
}

TEST(Flags, HaveTheReferencesDefaults) {
  const DaemonFlags flags = parse({});
  EXPECT_EQ(flags.socket_path, "/run/cni/dhcp.sock");
  EXPECT_EQ(flags.folder, "/run/unicni/dhcp");
  EXPECT_EQ(flags.pid_file, "");
  EXPECT_EQ(flags.timeout, std::chrono::seconds(10));
  EXPECT_EQ(flags.resend_max, std::chrono::seconds(62));
  EXPECT_EQ(flags.resend_timeout, std::chrono::seconds(208));
  EXPECT_FALSE(flags.broadcast);
}

TEST(Flags, AreReadWithOneDashOrTwoAndWithEquals) {
  const DaemonFlags flags = parse({"-socketpath", "/s", "--pidfile=/p", "-broadcast", "-timeout=3s",
                                   "--resendmax", "1m", "-resendtimeout", "2m"});
  EXPECT_EQ(flags.socket_path, "/s");
  EXPECT_EQ(flags.pid_file, "/p");
  EXPECT_TRUE(flags.broadcast);
  EXPECT_EQ(flags.timeout, std::chrono::seconds(3));
  EXPECT_EQ(flags.resend_max, std::chrono::seconds(60));
  EXPECT_EQ(flags.resend_timeout, std::chrono::seconds(120));
  EXPECT_FALSE(parse({"-broadcast=false"}).broadcast);
}

TEST(Flags, APrefixIsKeptApartFromThePaths) {
  const DaemonFlags flags = parse({"-hostprefix", "/host", "-pidfile", "/p"});
  EXPECT_EQ(flags.host_prefix, "/host");
  EXPECT_EQ(flags.socket_path, "/run/cni/dhcp.sock");
  EXPECT_EQ(flags.pid_file, "/p");
}

TEST(Flags, WhatIsWrongIsNamed) {
  const auto msg = [](std::initializer_list<const char*> words) {
    return error_of([&] { parse(words); }).msg();
  };
  EXPECT_THAT(msg({"-nonsense"}), HasSubstr("there is no flag -nonsense"));
  EXPECT_THAT(msg({"word"}), HasSubstr("\"word\" is no flag"));
  EXPECT_THAT(msg({"-timeout"}), HasSubstr("-timeout needs a value"));
  EXPECT_THAT(msg({"-timeout", "soon"}), HasSubstr("\"soon\" is no time"));
  EXPECT_THAT(msg({"-timeout", "0"}), HasSubstr("\"0\" is no time"));
  EXPECT_THAT(msg({"-broadcast=maybe"}), HasSubstr("true or false"));
  EXPECT_EQ(msg({"-pidfile", "x"}), "Error writing pidfile \"x\": path not absolute");
  EXPECT_THAT(msg({"-socketpath", "x"}), HasSubstr("absolute"));
  EXPECT_THAT(msg({"-folder", "x"}), HasSubstr("absolute"));
  EXPECT_THAT(msg({"-hostprefix", "x"}), HasSubstr("absolute"));
}

TEST(Flags, HelpIsAskedForInAnyForm) {
  EXPECT_FALSE(parse({}).help);
  for (const char* word : {"-h", "-help", "--help"}) EXPECT_TRUE(parse({word, "-nonsense"}).help);
  EXPECT_THAT(usage(), HasSubstr("-resendtimeout TIME"));
}

TEST(Duration, IsGos) {
  EXPECT_EQ(parse_duration("1m30s"), std::chrono::seconds(90));
  EXPECT_EQ(parse_duration("1.5h"), std::chrono::minutes(90));
  EXPECT_EQ(parse_duration("300ms"), Span(300));
  EXPECT_EQ(parse_duration("0"), Span(0));
  for (const char* text : {"", "10", "s", "-1s", "1 s", "1d", "1e3s", "999999999999h", "nan"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace unicni::dhcp::flags_test
