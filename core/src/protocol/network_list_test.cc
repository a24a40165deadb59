#include "protocol/network_list.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "unicni/error.h"

namespace unicni::protocol::network_list_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// JSON with single quotes, for readable cases.
std::string json(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}
NetworkList list_of(const std::string& text) { return parse_list(json(text), "f"); }

template <class Read>
Error refusal(Read read) {
  try {
    read();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return Error(Code::internal, "");
}
Error refusal_of_list(const std::string& text) {
  return refusal([&] { list_of(text); });
}

TEST(NetworkList, EveryFieldIsRead) {  // CONF-01
  const NetworkList list = list_of(
      "{'cniVersion':'1.0.0','name':'n','disableCheck':true,'disableGC':true,"
      "'loadOnlyInlinedPlugins':true,'plugins':["
      "{'type':'bridge','capabilities':{'ips':true,'mac':false}},"
      "{'type':'portmap','capabilities':{'portMappings':true,'ips':true}}]}");
  EXPECT_EQ(list.name, "n");
  EXPECT_EQ(list.cni_version, "1.0.0");
  EXPECT_TRUE(list.disable_check);
  EXPECT_TRUE(list.disable_gc);
  EXPECT_TRUE(list.only_inlined);
  ASSERT_EQ(list.members.size(), 2U);
  EXPECT_EQ(list.members[0].type, "bridge");
  EXPECT_THAT(list.members[0].capabilities, ElementsAre("ips"));
  EXPECT_EQ(list.members[1].type, "portmap");
  EXPECT_THAT(enabled_capabilities(list), ElementsAre("ips", "portMappings"));
  EXPECT_THAT(list.warnings, IsEmpty());
}

TEST(NetworkList, FlagsAreOffUnlessSaid) {
  const NetworkList list = list_of("{'name':'n','plugins':[{'type':'a'}]}");
  EXPECT_FALSE(list.disable_check || list.disable_gc || list.only_inlined);
  EXPECT_EQ(list.cni_version, "0.1.0");  // CONF-05
  EXPECT_EQ(list_of("{'name':'n','cniVersion':'','plugins':[{'type':'a'}]}").cni_version, "0.1.0");
}

TEST(NetworkList, FlagsMayBeStrings) {  // CONF-09
  for (const char* value : {"true", "'true'", "'TRUE'", "'True'"}) {
    EXPECT_TRUE(list_of(std::string("{'name':'n','disableCheck':") + value + "}").disable_check);
  }
  for (const char* value : {"false", "'false'", "'FALSE'"}) {
    EXPECT_FALSE(list_of(std::string("{'name':'n','disableGC':") + value + "}").disable_gc);
  }
  for (const char* value : {"'x'", "''", "1", "null", "[]", "{}"}) {
    for (const char* key : {"disableCheck", "disableGC", "loadOnlyInlinedPlugins"}) {
      const Error error = refusal_of_list(std::string("{'name':'n','") + key + "':" + value + "}");
      EXPECT_TRUE(error.is(Code::invalid_config));
      EXPECT_THAT(error.msg(), HasSubstr(std::string("f: \"") + key + "\" is "));
      EXPECT_EQ(error.details(), "true or false is expected");
    }
  }
}

TEST(NetworkList, OthersKeysAndDigitsStay) {  // CONF-20
  const NetworkList list = list_of(
      "{'name':'n','plugins':[{'type':'a','Big':12345678901234567890123,'f':1.0,'s':'\\u00e4'}]}");
  EXPECT_EQ(list.members[0].text,
            json("{'type':'a','Big':12345678901234567890123,'f':1.0,'s':'\\u00e4'}"));
}

TEST(NetworkList, TheTextIsTheDocumentToTheByte) {
  const std::string text = json(" {'name' : 'n', 'plugins':[ {'type':'a'} ]}\n");
  EXPECT_EQ(parse_list(text, "f").text, text);
}

TEST(NetworkList, CommentsMayStandInIt) {
  const NetworkList list = list_of(
      "{ // a network\n'name':'n', /* its plugins: */ 'plugins':[{'type':'a' /* first */,\n"
      "'url':'http://x'}]}");
  EXPECT_EQ(list.members[0].type, "a");
  EXPECT_THAT(list.text, HasSubstr("http://x"));
  EXPECT_EQ(list.text.find("network"), std::string::npos) << "libcni couldn't read it from a cache";
  EXPECT_EQ(parse_list(list.text, "f").members[0].text, list.members[0].text);
}

TEST(NetworkList, ErrorsOfJsonNameTheLineOfTheFile) {
  const Error error = refusal_of_list("{ /* a\n comment */\n'name' 1}");
  EXPECT_TRUE(error.is(Code::decode));
  EXPECT_THAT(error.msg(), HasSubstr("f: cannot decode the configuration: parse error at line 3"));
}

TEST(NetworkList, TheNewestKnownVersionIsTaken) {  // CONF-06, CONF-08
  struct {
    const char* keys;
    const char* version;
  } cases[] = {
      {"'cniVersions':['0.4.0','99.0.0','1.1.0']", "1.1.0"},
      {"'cniVersions':['0.4.0'],'cniVersion':'1.0.0'", "1.0.0"},
      {"'cniVersions':['1.0.0'],'cniVersion':'0.4.0'", "1.0.0"},
      {"'cniVersions':['0.4.0','0.5.0']", "0.4.0"},
      {"'cniVersions':['0.3.1','1.0']", "0.3.1"},
      {"'cniVersion':'1.2.3'", "1.2.3"},
      {"'cniVersion':'abc'", "abc"},
      {"'cniVersions':['2.0.0'],'cniVersion':'1.2.0'", "1.2.0"},
      {"'cniVersions':['2.0.0','10.0.0','3.0.0']", "10.0.0"},
      {"'cniVersions':[]", "0.1.0"},
  };
  for (const auto& [keys, version] : cases) {
    EXPECT_EQ(list_of(std::string("{'name':'n',") + keys + "}").cni_version, version) << keys;
  }
}

TEST(NetworkList, VersionsThatAreNoneAreRefused) {  // CONF-07
  struct {
    const char* keys;
    const char* message;
  } cases[] = {
      {"'cniVersions':'a'", "f: \"cniVersions\" is \"a\""},
      {"'cniVersions':[1]", "f: \"cniVersions\"[0] is 1"},
      {"'cniVersions':['1.0.0','1.0.f']", "f: \"cniVersions\"[1] is \"1.0.f\""},
      {"'cniVersions':['+1.0.0']", "f: \"cniVersions\"[0] is \"+1.0.0\""},
      {"'cniVersions':['1.0.0'],'cniVersion':'x'", "f: \"cniVersion\" is \"x\""},
      {"'cniVersion':1", "f: \"cniVersion\" is 1"},
      {"'cniVersion':null", "f: \"cniVersion\" is null"},
  };
  for (const auto& [keys, message] : cases) {
    EXPECT_EQ(refusal_of_list(std::string("{'name':'n',") + keys + "}").msg(), message);
  }
}

TEST(NetworkList, NamesThatAreNoneAreRefused) {  // CONF-02
  EXPECT_EQ(refusal_of_list("{}").msg(), "f: \"name\" is missing");
  EXPECT_EQ(refusal_of_list("{'NAME':'n'}").msg(), "f: \"name\" is missing");
  EXPECT_EQ(refusal_of_list("{'name':1}").msg(), "f: \"name\" is 1");
  EXPECT_EQ(refusal_of_list("{'name':''}").msg(), "f: \"name\" is \"\"");
}

TEST(NetworkList, NamesAreHeldAgainstThePattern) {  // CONF-03
  for (const char* name : {"a", "0", "a_b.c-d"}) EXPECT_NO_THROW(require_network_name(name));
  for (const char* name : {"a/b", "_x", "", "a b", "..", "a\n"}) {
    NetworkList list;
    list.source = "f";
    list.name = name;
    const Error error = refusal([&] { require_network_name(list); });
    EXPECT_TRUE(error.is(Code::invalid_config));
    EXPECT_THAT(error.msg(), HasSubstr("f: ")) << name;
  }
  EXPECT_EQ(refusal([] { require_network_name("a/b"); }).msg(),
            "invalid characters found in network name \"a/b\"");
}

TEST(NetworkList, PluginsThatAreNoneAreRefused) {  // CONF-12, CONF-13, CONF-19, CONF-22
  struct {
    const char* keys;
    const char* message;
  } cases[] = {
      {"'plugins':{}", "f: \"plugins\" is object"},
      {"'plugins':null", "f: \"plugins\" is null"},
      {"'plugins':[]", "f: \"plugins\" is empty"},
      {"'plugins':['a']", "f: \"plugins\"[0] is \"a\""},
      {"'plugins':[{'type':'a'},[]]", "f: \"plugins\"[1] is array"},
      {"'plugins':[{}]", "f: \"plugins\"[0] has no \"type\""},
      {"'plugins':[{'type':null}]", "f: \"plugins\"[0] has no \"type\""},
      {"'plugins':[{'type':7}]", "f: \"plugins\"[0].type is 7"},
      {"'plugins':[{'type':''}]", "f: \"plugins\"[0].type is \"\""},
      {"'plugins':[{'type':'../x'}]", "f: \"plugins\"[0].type is \"../x\""},
      {"'plugins':[{'type':'..'}]", "f: \"plugins\"[0].type is \"..\""},
      {"'plugins':[{'type':'a\\u0000b'}]", "f: \"plugins\"[0].type is \"a\\u0000b\""},
      {"'loadOnlyInlinedPlugins':true",
       "f: \"plugins\" is missing, and \"loadOnlyInlinedPlugins\" is true"},
      {"'plugins':[{'type':'a','capabilities':{'x':1}}]",
       "f: \"plugins\"[0].capabilities.x is of type number"},
      {"'plugins':[{'type':'a','capabilities':[]}]",
       "f: \"plugins\"[0].capabilities is of type array"},
      {"'plugins':[{'type':'a','ipam':3}]",
       "f: \"plugins\"[0]: cannot decode the network configuration: \"ipam\" is of type number"},
  };
  for (const auto& [keys, message] : cases) {
    EXPECT_EQ(refusal_of_list(std::string("{'name':'n',") + keys + "}").msg(), message);
  }
}

TEST(NetworkList, WithoutPluginsWaitsForDropIns) {  // CONF-13, CONF-17
  NetworkList list = list_of("{'name':'n'}");
  EXPECT_EQ(refusal([&] { require_members(list); }).msg(), "f: network \"n\" has no plugin");
  add_drop_in(list, json("// mine\n{'type':'a','name':'other'}\n"), "n/10.conf");
  EXPECT_NO_THROW(require_members(list));
  EXPECT_EQ(list.members[0].text, json("{'type':'a','name':'other'}"));
  EXPECT_EQ(list.members[0].source, "n/10.conf");
  EXPECT_EQ(list.text, json("{'name':'n'}")) << "libcni's cache has no drop-ins either";
}

TEST(NetworkList, ABrokenDropInIsNamed) {  // CONF-15
  NetworkList list = list_of("{'name':'n'}");
  EXPECT_EQ(refusal([&] { add_drop_in(list, "{}", "n/1.conf"); }).msg(),
            "n/1.conf: the plugin has no \"type\"");
  EXPECT_THAT(refusal([&] { add_drop_in(list, "{", "n/1.conf"); }).msg(),
              HasSubstr("n/1.conf: cannot decode the configuration: "));
}

TEST(NetworkList, ASinglePluginIsAListOfOne) {  // CONF-27
  const NetworkList list =
      parse_plugin(json("{'cniVersion':'0.3.1','name':'n','type':'bridge','x':1.0} // old"), "f");
  EXPECT_EQ(list.name, "n");
  EXPECT_EQ(list.cni_version, "0.3.1");
  ASSERT_EQ(list.members.size(), 1U);
  EXPECT_EQ(list.members[0].text,
            json("{'cniVersion':'0.3.1','name':'n','type':'bridge','x':1.0}"));
  EXPECT_EQ(list.text, json("{'cniVersion':'0.3.1','name':'n','plugins':[{'cniVersion':'0.3.1',"
                            "'name':'n','type':'bridge','x':1.0}]}"));
  EXPECT_EQ(parse_list(list.text, "cache").members[0].text, list.members[0].text);
  EXPECT_EQ(parse_plugin(json("{'type':'loopback'}"), "f").name, "");
}

TEST(NetworkList, AListIsNoSinglePlugin) {  // CONF-26
  const Error error =
      refusal([] { parse_plugin(json("{'name':'n','plugins':[{'type':'a'}]}"), "f.conf"); });
  EXPECT_EQ(error.msg(), "f.conf: \"type\" is missing, and \"plugins\" is there");
  EXPECT_THAT(error.details(), HasSubstr(".conflist"));
  EXPECT_EQ(refusal([] { parse_plugin("{}", "f.conf"); }).msg(),
            "f.conf: the plugin has no \"type\"");
  EXPECT_THAT(list_of("{'name':'n','type':'a'}").members, IsEmpty());
}

TEST(NetworkList, WhatHasNoFileNameIsWhatItHolds) {
  EXPECT_EQ(parse_network(json("{'name':'n','type':'a'}"), "f").members[0].type, "a");
  EXPECT_EQ(parse_network(json("{'name':'n','plugins':[{'type':'a'}]}"), "f").members.size(), 1U);
  EXPECT_EQ(
      parse_network(json("{'name':'n','type':'x','plugins':[{'type':'a'}]}"), "f").members[0].type,
      "a");
  EXPECT_THAT(parse_network(json("{'name':'n'}"), "f").members, IsEmpty());
  EXPECT_EQ(refusal([] { parse_network("{}", "f"); }).msg(), "f: \"name\" is missing");
}

TEST(NetworkList, WhatTheRuntimeWritesIsWarnedOf) {  // CONF-21
  NetworkList list = list_of(
      "{'name':'n','plugins':[{'type':'a','prevResult':{},'args':{},'cni.dev/x':1}],"
      "'disablecheck':true}");
  EXPECT_FALSE(list.disable_check);  // CONF-29
  EXPECT_THAT(
      list.warnings,
      ElementsAre("f: \"disablecheck\" says nothing, the key is written \"disableCheck\"",
                  "f: \"plugins\"[0].\"prevResult\" is not passed on, the runtime writes that key",
                  "f: \"plugins\"[0].\"cni.dev/x\" is not passed on, the runtime writes that key"));
  EXPECT_EQ(list.members[0].text, json("{'type':'a','args':{}}"));
  list.warnings.clear();
  add_drop_in(list, json("{'type':'a','runtimeConfig':{}}"), "d");
  EXPECT_THAT(list.warnings, ElementsAre("d: the plugin.\"runtimeConfig\" is not passed on, the "
                                         "runtime writes that key"));
}

TEST(NetworkList, TheLastOfEqualKeysCounts) {  // CONF-29
  const NetworkList list =
      list_of("{'name':'m','name':'n','plugins':[{'type':'a'}],'plugins':[{'type':'b'}]}");
  EXPECT_EQ(list.name, "n");
  ASSERT_EQ(list.members.size(), 1U);
  EXPECT_EQ(list.members[0].text, json("{'type':'b'}"));
}

TEST(NetworkList, MayHoldOneTypeTwice) {
  const NetworkList list =
      list_of("{'name':'n','plugins':[{'type':'a','x':1},{'type':'a','x':2}]}");
  ASSERT_EQ(list.members.size(), 2U);
  EXPECT_NE(list.members[0].text, list.members[1].text);
}

TEST(NetworkList, BytesThatAreNoObjectAreRefused) {  // CONF-29, EXEC-13
  for (const char* text : {"", "[]", "null", "{'name':'n'} x", "\xEF\xBB\xBF{'name':'n'}"}) {
    EXPECT_TRUE(refusal_of_list(text).is(Code::decode)) << text;
  }
  const std::string large = "{\"name\":\"n\"" + std::string(kListFileLimit, ' ') + "}";
  EXPECT_THAT(refusal([&] { parse_list(large, "f"); }).msg(), HasSubstr("is too large"));
}

}  // namespace
}  // namespace unicni::protocol::network_list_test
