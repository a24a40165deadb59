#include "protocol/plugin_environment.h"

#include <gmock/gmock.h>

#include "protocol/request.h"
#include "unicni/error.h"

namespace unicni::protocol::plugin_environment_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

PluginCall call_of(Command command) {
  return {command, {"c", "eth0"}, "/run/netns/x", "A=1;B=", {"/opt/a", "/opt/b"}, {}};
}

TEST(PluginEnvironment, HasTheCallInThePlaceOfWhatIsInherited) {  // EXEC-12
  EXPECT_THAT(make_plugin_environment({"CNI_IFNAME=x", "FOO=1", "CNI_PATH=/other", "CNI_X=y"},
                                      call_of(Command::add)),
              ElementsAre("FOO=1", "CNI_X=y", "CNI_COMMAND=ADD", "CNI_CONTAINERID=c",
                          "CNI_NETNS=/run/netns/x", "CNI_ARGS=A=1;B=", "CNI_IFNAME=eth0",
                          "CNI_PATH=/opt/a:/opt/b"));
}

TEST(PluginEnvironment, OfTheWholeNetworkHasEmptyVariables) {  // EXEC-12, GC-06, ARGS-10
  for (const Command command : {Command::gc, Command::status}) {
    EXPECT_THAT(make_plugin_environment({"CNI_NETNS=x"}, call_of(command)),
                ElementsAre(std::string("CNI_COMMAND=") + command_name(command), "CNI_CONTAINERID=",
                            "CNI_NETNS=", "CNI_ARGS=", "CNI_IFNAME=", "CNI_PATH=/opt/a:/opt/b"));
  }
}

TEST(PluginEnvironment, OldPluginsGetAsFarAsRefusingVersion) {  // VERN-05
  EXPECT_THAT(make_plugin_environment({}, call_of(Command::version)),
              ElementsAre("CNI_COMMAND=VERSION", "CNI_CONTAINERID=", "CNI_NETNS=dummy",
                          "CNI_ARGS=", "CNI_IFNAME=dummy", "CNI_PATH=dummy"));
}

TEST(PluginEnvironment, TheLastOfTwoVariablesCounts) {
  const auto environment =
      make_plugin_environment({"A=1", "odd", "B=2", "A=3", "odd", "=C"}, call_of(Command::del));
  EXPECT_THAT(std::vector(environment.begin(), environment.begin() + 5),
              ElementsAre("odd", "B=2", "A=3", "odd", "=C"));
}

TEST(PluginEnvironment, TheCallersSpanReplacesAnInheritedOne) {  // EXEC-20
  PluginCall call = call_of(Command::add);
  call.trace = {{"TRACEPARENT", kParent}, {"BAGGAGE", "k=v"}, {"OTHER", "x"}};
  const auto environment =
      make_plugin_environment({"TRACEPARENT=old", "TRACESTATE=old", "BAGGAGE=old"}, call);
  EXPECT_THAT(environment, Contains(std::string("TRACEPARENT=") + kParent));
  EXPECT_THAT(environment, Contains("BAGGAGE=k=v"));
  EXPECT_THAT(environment, Not(Contains(StartsWith("TRACESTATE"))));
  EXPECT_THAT(environment, Not(Contains("TRACEPARENT=old")));
  EXPECT_THAT(environment, Not(Contains(StartsWith("OTHER"))));
}

TEST(PluginEnvironment, WithoutASpanWhatIsInheritedStays) {  // EXEC-20
  const std::string valid = kParent;
  for (const std::string& parent :
       {std::string(), std::string("x"), valid.substr(1), valid + "-1", valid + "x",
        "ff" + valid.substr(2), "00-" + std::string(32, '0') + valid.substr(35),
        valid.substr(0, 36) + std::string(16, '0') + "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736" + valid.substr(35), valid + std::string(1, '\0')}) {
    PluginCall call = call_of(Command::add);
    call.trace = {{"TRACEPARENT", parent}, {"TRACESTATE", "new"}};
    const auto environment = make_plugin_environment({"TRACESTATE=old"}, call);
    EXPECT_THAT(environment, Contains("TRACESTATE=old")) << parent;
    EXPECT_THAT(environment, Not(Contains("TRACESTATE=new"))) << parent;
  }
  PluginCall call = call_of(Command::add);
  call.trace = {{"TRACEPARENT", "01" + valid.substr(2) + "-later"}};
  EXPECT_THAT(make_plugin_environment({}, call),
              Contains("TRACEPARENT=01" + valid.substr(2) + "-later"));
}

TEST(PluginEnvironment, AValueThatWouldBeCutIsRefused) {
  PluginCall call = call_of(Command::add);
  call.netns = std::string("/run\0/x", 7);
  EXPECT_THROW(make_plugin_environment({}, call), Error);
  for (const char* folder : {"", "/a:/b"}) {
    call = call_of(Command::add);
    call.path = {"/opt", folder};
    EXPECT_THROW(make_plugin_environment({}, call), Error);
  }
}

TEST(FormatArgs, ReadsBackInItsOrder) {  // ARGS-01, ARGS-02
  EXPECT_EQ(format_args({}), "");
  const Pairs pairs = {{"IgnoreUnknown", "1"}, {"K8S_POD_NAME", "a b"}, {"A", ""}, {"A", "2"}};
  EXPECT_EQ(format_args(pairs), "IgnoreUnknown=1;K8S_POD_NAME=a b;A=;A=2");
  EXPECT_EQ(parse_args(format_args(pairs)), pairs);
}

TEST(FormatArgs, RefusesWhatCannotBeTold) {  // ARGS-01
  for (const auto& [key, value] : Pairs{{"a;b", "1"},
                                        {"a=b", "1"},
                                        {"a", "1;2"},
                                        {"a", "1=2"},
                                        {"", "1"},
                                        {"a", std::string("1\0", 2)}}) {
    try {
      format_args({{"x", "y"}, {key, value}});
      FAIL() << key << ' ' << value;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_environment));
    }
  }
}

unsigned code_of(const AttachmentKey& key, Command command) {
  try {
    require_attachment(key, command);
    return 0;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(RequireAttachment, RefusesNamesWithTheRuntimesCodes) {  // EXEC-07, EXEC-08, CONF-03
  EXPECT_EQ(code_of({"n", "c", "eth0"}, Command::add), 0U);
  struct {
    AttachmentKey key;
    unsigned code;
  } cases[] = {
      {{"n", "", "eth0"}, 3},    {{"n", "_c", "eth0"}, 4},
      {{"n", "c\n", "eth0"}, 4}, {{"n", "a b", "eth0"}, 4},
      {{"", "c", "eth0"}, 7},    {{"a/b", "c", "eth0"}, 7},
      {{"n", "c", ""}, 4},       {{"n", "c", "0123456789abcdef"}, 4},
      {{"n", "c", ".."}, 4},     {{"n", "c", "a:b"}, 4},
      {{"n", "c", "a/b"}, 4},    {{"n", "c", "a\xC2\xA0"}, 4},
  };
  for (const auto& [key, code] : cases) {
    for (const Command command : {Command::add, Command::check, Command::del}) {
      EXPECT_EQ(code_of(key, command), code) << key.owner();
    }
  }
}

TEST(RequireAttachment, ForDelOnlyTheSpecCounts) {
  EXPECT_EQ(code_of({"n", "c", "a%d"}, Command::add), 4U);
  EXPECT_EQ(code_of({"n", "c", "a%d"}, Command::del), 0U);
}

TEST(RequireAttachment, TheBadValueIsNamed) {
  try {
    require_attachment({"n", "a b", "eth0"}, Command::add);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), HasSubstr("\"a b\""));
  }
}

}  // namespace
}  // namespace unicni::protocol::plugin_environment_test
