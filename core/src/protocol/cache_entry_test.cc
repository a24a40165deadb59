#include "protocol/cache_entry.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "protocol/network_list.h"

namespace unicni::protocol::cache_entry_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// As libcni 1.3 writes it: Go's struct in its order, one line.
constexpr const char* kOfLibcni =
    R"({"kind":"cniCacheV1","containerId":"c-1","config":"eyJuYW1lIjoibiJ9","ifName":"eth0",)"
    R"("networkName":"n","netns":"/run/netns/x","cniArgs":[["A","1"],["B",""]],)"
    R"("capabilityArgs":{"portMappings":[{"hostPort":8080}]},)"
    R"("result":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/x"}],)"
    R"("ips":[{"address":"10.0.0.2/8","interface":0}]}})";

CacheEntry entry_of(const std::string& text) {
  const CacheContent content = parse_cache_entry(text, "file");
  if (content.problem) ADD_FAILURE() << content.problem->msg();
  return content.entry.value_or(CacheEntry());
}

TEST(CacheEntry, OfLibcniIsRead) {
  const CacheEntry entry = entry_of(kOfLibcni);
  EXPECT_EQ(entry.key, (AttachmentKey{"n", "c-1", "eth0"}));
  EXPECT_EQ(entry.config, R"({"name":"n"})");
  EXPECT_EQ(entry.netns, "/run/netns/x");
  EXPECT_THAT(entry.args, ElementsAre(Pair("A", "1"), Pair("B", "")));
  EXPECT_EQ(entry.capability_args, R"({"portMappings":[{"hostPort":8080}]})");
  EXPECT_THAT(entry.result, HasSubstr("10.0.0.2/8"));
  EXPECT_THAT(entry.extra, IsEmpty());
  EXPECT_FALSE(entry.is_bare_result);
}

TEST(CacheEntry, OfContainerdHoldsAList) {
  const CacheEntry entry = entry_of(
      R"({"kind":"cniCacheV1","containerId":"bb027bf6","config":"ewoiY25pVmVyc2lvbiI6ICIwLjMuMSIsCiJuYW1lIjogImNuaS1sb29wYmFj)"
      R"(ayIsCiJwbHVnaW5zIjogW3sKICAidHlwZSI6ICJsb29wYmFjayIKfV0KfQ==",)"
      R"("ifName":"lo","networkName":"cni-loopback","cniArgs":[["IgnoreUnknown","1"],)"
      R"(["K8S_POD_NAME","p"]],"capabilityArgs":{"io.kubernetes.cri.pod-annotations":{"a":"b"}},)"
      R"("result":{"cniVersion":"0.3.1","dns":{},"interfaces":[{"mac":"00:00:00:00:00:00",)"
      R"("name":"lo","sandbox":"/var/run/netns/x"}],"ips":[{"address":"127.0.0.1/8",)"
      R"("interface":0,"version":"4"}]}})");
  const NetworkList list = parse_network(entry.config, "cache");
  EXPECT_EQ(list.name, "cni-loopback");
  EXPECT_EQ(list.members.at(0).type, "loopback");
  EXPECT_EQ(cached_result(entry, SpecVersion::v1_1_0).result->interfaces.at(0).name, "lo");
}

TEST(CacheEntry, OfKubeletHoldsAPlugin) {
  const CacheEntry entry = entry_of(
      R"({"kind":"cniCacheV1","containerId":"f89681f0","config":"eyJjbmlWZXJzaW9uIjoiMC4xLjAiLCJuYW1lIjoia3ViZW5ldCIsInR5cGUi)"
      R"(OiJicmlkZ2UiLCJicmlkZ2UiOiJjYnIwIn0=",)"
      R"("ifName":"eth0","networkName":"kubenet","result":{"cniVersion":"0.2.0","dns":{},)"
      R"("ip4":{"gateway":"10.248.0.1","ip":"10.248.0.88/25","routes":[{"dst":"0.0.0.0/0"}]}}})");
  EXPECT_EQ(parse_network(entry.config, "cache").members.at(0).type, "bridge");
  EXPECT_EQ(cached_result(entry, SpecVersion::v0_4_0).result->routes.size(), 1U);
}

TEST(CacheEntry, IsWrittenAsLibcniWritesIt) {
  EXPECT_EQ(print_cache_entry(entry_of(kOfLibcni)), kOfLibcni);
}

TEST(CacheEntry, EmptyFieldsAreLeftOut) {
  CacheEntry entry;
  entry.key = {"n", "c", "eth0"};
  EXPECT_EQ(print_cache_entry(entry),
            R"({"kind":"cniCacheV1","containerId":"c","config":"","ifName":"eth0",)"
            R"("networkName":"n"})");
  const CacheEntry null = entry_of(
      R"({"kind":"cniCacheV1","containerId":"c","config":null,"ifName":"e","networkName":"n",)"
      R"("netns":null,"cniArgs":null,"capabilityArgs":null,"result":null})");
  EXPECT_EQ(null.config + null.netns + null.capability_args + null.result, "");
  EXPECT_THAT(null.args, IsEmpty());
}

TEST(CacheEntry, OthersKeysStayToTheByte) {
  const std::string text =
      R"({"kind":"cniCacheV1","containerId":"c","config":"e30=","ifName":"e","networkName":"n",)"
      R"("capabilityArgs":{"a":1.0,"b":12345678901234567890123},)"
      R"("result":{"cniVersion":"1.1.0","later":{"x":1e2}},"x\u0061":[1.50, "\u00e4"],"Kind":7})";
  EXPECT_EQ(print_cache_entry(entry_of(text)), text);
}

TEST(CacheEntry, EscapesWhatJsonNeedsEscaped) {
  CacheEntry entry;
  entry.key = {"n", "c", "a\"b\\c\n"};
  entry.netns = "/run/\"";
  entry.args = {{"K\"", "v\\"}};
  const CacheEntry again = entry_of(print_cache_entry(entry));
  EXPECT_EQ(again.key, entry.key);
  EXPECT_EQ(again.netns, entry.netns);
  EXPECT_EQ(again.args, entry.args);
}

TEST(CacheEntry, KeepsAConfigurationOfAnyBytes) {
  CacheEntry entry;
  entry.key = {"n", "c", "e"};
  for (int byte = 0; byte < 256; ++byte) entry.config += static_cast<char>(byte);
  EXPECT_EQ(entry_of(print_cache_entry(entry)).config, entry.config);
}

TEST(CacheEntry, ABrokenFileIsAProblemAndNoException) {  // DEL-11
  struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"", "file: it is empty"},
      {"{", "file: cannot decode it: "},
      {"{\"kind\":\"cniCacheV1\"", "file: cannot decode it: "},
      {"null", "file: it is of type null"},
      {"[]", "file: it is of type array"},
      {"{}", "file: it is neither an entry nor a result"},
      {R"({"kind":"cniCacheV2","cniVersion":"1.0.0"})", "file: \"kind\" is \"cniCacheV2\""},
      {R"({"kind":1})", "file: \"kind\" is 1"},
      {R"({"kind":"cniCacheV1","containerId":"a/b"})", "file: \"containerId\" is \"a/b\""},
      {R"({"kind":"cniCacheV1","containerId":"c","ifName":7,"networkName":"n"})",
       "file: \"ifName\" is 7"},
      {R"({"kind":"cniCacheV1","config":"e30"})", "file: \"config\" is no base64"},
      {R"({"kind":"cniCacheV1","config":{}})", "file: \"config\" is object"},
      {R"({"kind":"cniCacheV1","netns":[]})", "file: \"netns\" is array"},
      {R"({"kind":"cniCacheV1","cniArgs":{}})", "file: \"cniArgs\" is object"},
      {R"({"kind":"cniCacheV1","cniArgs":[["a"]]})", "file: \"cniArgs\" is array"},
      {R"({"kind":"cniCacheV1","cniArgs":[["a",1]]})", "file: \"cniArgs\" is array"},
      {R"({"kind":"cniCacheV1","capabilityArgs":[]})", "file: \"capabilityArgs\" is array"},
      {R"({"kind":"cniCacheV1","result":"x"})", "file: \"result\" is \"x\""},
  };
  for (const auto& [text, problem] : cases) {
    const CacheContent content = parse_cache_entry(text, "file");
    EXPECT_FALSE(content.entry) << text;
    ASSERT_TRUE(content.problem) << text;
    EXPECT_THAT(content.problem->msg(), HasSubstr(problem));
  }
}

TEST(CacheEntry, ABareResultOfOldLibcniIsOne) {
  const std::string text =
      R"({"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/8"}]})";
  const CacheEntry entry = entry_of(text);
  EXPECT_TRUE(entry.is_bare_result);
  EXPECT_EQ(entry.result, text);
  EXPECT_TRUE(is_entry_of(entry, {"any", "c", "e"}));
  const CachedResult cached = cached_result(entry, SpecVersion::v1_0_0);
  ASSERT_TRUE(cached.result);
  EXPECT_EQ(cached.result->ips.at(0).address.str(), "10.0.0.2/8");
}

CacheEntry with_result(const std::string& result) {
  CacheEntry entry;
  entry.result = result;
  return entry;
}

TEST(CachedResult, IsConvertedToTheAskedVersion) {  // DEL-09
  const CacheEntry entry =
      with_result(R"({"cniVersion":"1.1.0","interfaces":[{"name":"e","mtu":1400}],)"
                  R"("ips":[{"address":"10.0.0.2/8","interface":0}]})");
  EXPECT_EQ(cached_result(entry, SpecVersion::v1_0_0).result->interfaces[0].mtu, 1400U);
  EXPECT_EQ(cached_result(entry, SpecVersion::v0_4_0).result->interfaces[0].mtu, 0U);
  EXPECT_THAT(cached_result(entry, SpecVersion::v0_2_0).result->interfaces, IsEmpty());
}

TEST(CachedResult, WithoutVersionIsOld) {
  for (const char* version : {"", R"("cniVersion":"",)", R"("cniVersion":7,)"}) {
    const CacheEntry old =
        with_result(std::string("{") + version + R"("ip4":{"ip":"10.0.0.2/8"}})");
    EXPECT_EQ(cached_result(old, SpecVersion::v1_0_0).result->ips.size(), 1U) << version;
  }
  const CacheEntry unsaid = with_result(R"({"ips":[{"address":"10.0.0.2/8"}]})");
  EXPECT_EQ(cached_result(unsaid, SpecVersion::v1_0_0).result->ips.size(), 1U);
}

TEST(CachedResult, OfAnEntryWithoutOneIsEmpty) {
  const CachedResult cached = cached_result(CacheEntry(), SpecVersion::v1_0_0);
  ASSERT_TRUE(cached.result);
  EXPECT_EQ(*cached.result, Result());
}

TEST(CachedResult, ThatCannotBeToldIsAProblem) {  // CONV-09, CONV-12
  for (const char* text : {R"({"cniVersion":"9.9.9"})", R"({"cniVersion":"1.0.0","ips":[null]})"}) {
    const CachedResult cached = cached_result(with_result(text), SpecVersion::v1_0_0);
    EXPECT_FALSE(cached.result);
    EXPECT_TRUE(cached.problem) << text;
  }
  EXPECT_TRUE(cached_result(CacheEntry(), SpecVersion::v0_2_0).problem) << "no address";
}

TEST(CacheEntry, WhatCannotBeStoredIsRefused) {
  CacheEntry entry;
  for (const AttachmentKey& key : {AttachmentKey{"", "c", "e"},
                                   {"n", "", "e"},
                                   {"n", "c", ""},
                                   {"../n", "c", "e"},
                                   {"n", "c", "a/b"},
                                   {"n", "c", std::string("a\0b", 3)}}) {
    entry.key = key;
    EXPECT_THROW(print_cache_entry(entry), Error);
    EXPECT_THROW(cache_file_name(key), Error);
  }
  entry.key = {"n", "c", "e"};
  entry.capability_args = "[]";
  EXPECT_THROW(print_cache_entry(entry), Error);
  entry.capability_args.clear();
  entry.result = "{},\"kind\":\"x\"";
  EXPECT_THROW(print_cache_entry(entry), Error);
}

TEST(CacheEntry, WhatIsNestedTooDeepToReadIsNotWritten) {
  CacheEntry entry;
  entry.key = {"n", "c", "e"};
  entry.capability_args = R"({"a":)" + std::string(255, '[') + std::string(255, ']') + '}';
  EXPECT_THROW(print_cache_entry(entry), Error);
  entry.capability_args = R"({"a":)" + std::string(254, '[') + std::string(254, ']') + '}';
  EXPECT_EQ(entry_of(print_cache_entry(entry)).capability_args, entry.capability_args);
}

TEST(CacheEntry, TheNamesInsideSayWhoseItIs) {
  EXPECT_EQ(cache_file_name({"a-b", "c", "e"}), cache_file_name({"a", "b-c", "e"}));
  CacheEntry entry;
  entry.key = {"a", "b-c", "e"};
  EXPECT_TRUE(is_entry_of(entry, {"a", "b-c", "e"}));
  EXPECT_FALSE(is_entry_of(entry, {"a-b", "c", "e"}));
  EXPECT_FALSE(is_entry_of(entry, {"a", "b-c", "f"}));
  entry.key.if_name.clear();
  EXPECT_TRUE(is_entry_of(entry, {"a", "b-c", "f"})) << "an entry that doesn't name one";
}

TEST(CacheEntry, BytesThatJsonCannotTellAreNoDifference) {
  CacheEntry entry;
  entry.key = {"n", "c", "e\xFF\xFEx"};
  const CacheEntry again = entry_of(print_cache_entry(entry));
  EXPECT_NE(again.key.if_name, entry.key.if_name);
  EXPECT_TRUE(is_entry_of(again, entry.key));
  EXPECT_TRUE(is_entry_of(again, {"n", "c", "e\xFDx"}));
  EXPECT_FALSE(is_entry_of(again, {"n", "c", "ex"}));
  EXPECT_FALSE(is_entry_of(again, {"n", "c", "e\xFFy"}));
}

}  // namespace
}  // namespace unicni::protocol::cache_entry_test
