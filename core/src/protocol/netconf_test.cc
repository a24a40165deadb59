#include "protocol/netconf.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error_for_test.h"
#include "protocol/request.h"
#include "unicni/error.h"

namespace unicni::protocol::netconf_test {
namespace {

using Json = nlohmann::ordered_json;

std::string replaced(std::string text) {
  for (char& c : text) {
    if (c == '\'') c = '"';
  }
  return text;
}
// JSON with single quotes, for readable cases.
Netconf parse(const std::string& text) { return Netconf::parse(replaced(text)); }

template <class Call>
std::string refusal(Code code, Call call) {
  return refusal_of(call, code);
}

TEST(Netconf, Fields) {
  const Netconf conf =
      parse("{'cniVersion':'1.0.0','name':'n','type':'bridge','ipam':{'type':'static'}}");
  EXPECT_EQ(conf.name(), "n");
  EXPECT_EQ(conf.cni_version(), "1.0.0");
  EXPECT_EQ(conf.type(), "bridge");
  EXPECT_EQ(conf.ipam_type(), "static");
  EXPECT_EQ(conf.prev_result(), std::nullopt);
  EXPECT_EQ(conf.valid_attachments().has_value(), false);
  EXPECT_EQ(conf.json()["type"], "bridge");
}

TEST(Netconf, AbsentNullAndEmptyFields) {  // CONF-05
  for (const char* text :
       {"{}",
        "{'name':null,'cniVersion':null,'type':null,'ipam':null,'dns':null,'args':null,'"
        "runtimeConfig':null,'prevResult':null}",
        "{'name':'','cniVersion':'','type':'','ipam':{}}", "{'ipam':{'type':null}}"}) {
    const Netconf conf = parse(text);
    EXPECT_EQ(conf.name(), "");
    EXPECT_EQ(conf.cni_version(), "0.1.0");
    EXPECT_EQ(conf.type(), "");
    EXPECT_EQ(conf.ipam_type(), "");
    EXPECT_EQ(conf.prev_result(), std::nullopt);
  }
}

TEST(Netconf, KeysInAnyLetterCase) {  // as the reference
  const Netconf conf = parse(
      "{'NAME':'n','CNIVersion':'1.0.0','Type':'t','IPAM':{'TYPE':'s'},'PrevResult':{'ips':[{'"
      "address':'10.0.0.2/8'}]}}");
  EXPECT_EQ(conf.name(), "n");
  EXPECT_EQ(conf.cni_version(), "1.0.0");
  EXPECT_EQ(conf.type(), "t");
  EXPECT_EQ(conf.ipam_type(), "s");
  ASSERT_TRUE(conf.prev_result());
  EXPECT_EQ(conf.prev_result()->ips.size(), 1U);
  EXPECT_EQ(parse("{'name':'exact','NAME':'other'}").name(), "exact");
  EXPECT_EQ(parse("{'Name':'other','name':'exact'}").name(), "exact");
  EXPECT_EQ(parse("{'name':'a','name':'b'}").name(), "b");  // CONF-29
}

TEST(Netconf, Refusals) {  // EXEC-13
  struct {
    const char* text;
    const char* message;
  } const cases[] = {
      {"[]", "cannot decode the network configuration: it is of type array"},
      {"null", "cannot decode the network configuration: it is of type null"},
      {"'x'", "cannot decode the network configuration: it is of type string"},
      {"{'name':1}", "cannot decode the network configuration: \"name\" is of type number"},
      {"{'cniVersion':1.0}",
       "cannot decode the network configuration: \"cniVersion\" is of type number"},
      {"{'type':[]}", "cannot decode the network configuration: \"type\" is of type array"},
      {"{'ipam':'static'}", "cannot decode the network configuration: \"ipam\" is of type string"},
      {"{'ipam':{'type':true}}",
       "cannot decode the network configuration: \"type\" is of type boolean"},
      {"{'dns':[]}", "cannot decode the network configuration: \"dns\" is of type array"},
      {"{'args':1}", "cannot decode the network configuration: \"args\" is of type number"},
      {"{'runtimeConfig':[]}",
       "cannot decode the network configuration: \"runtimeConfig\" is of type array"},
      {"{'prevResult':'x'}",
       "cannot decode the network configuration: \"prevResult\" is of type string"},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(refusal(Code::decode, [&] { parse(test.text); }), test.message);
  }
  for (const char* text : {"", "{", "{}x", "{'a':}"}) {
    EXPECT_NE(refusal(Code::decode, [&] { parse(text); }), "") << text;
  }
  EXPECT_NE(refusal(Code::decode,
                    [&] {
                      parse("{'a':" + std::string(kNestingLimit, '[') +
                            std::string(kNestingLimit, ']') + "}");
                    }),
            "");
}

TEST(Netconf, CopiesShareTheTree) {
  const Netconf conf = parse("{'name':'n','type':'t','prevResult':{}}");
  const Netconf copy = conf.copy();
  EXPECT_EQ(&copy.json(), &conf.json());
  EXPECT_EQ(copy.text(), conf.text());
  EXPECT_EQ(copy.type(), "t");
  EXPECT_EQ(copy.prev_result(), Result{});
}

TEST(PrevResult, TakesTheConfigurationsVersion) {  // PREV-02
  const Netconf old = parse("{'cniVersion':'0.2.0','prevResult':{'ip4':{'ip':'10.0.0.2/8'}}}");
  EXPECT_EQ(old.prev_result()->ips.size(), 1U);
  const Netconf empty = parse("{'cniVersion':'1.0.0','prevResult':{}}");
  EXPECT_EQ(empty.prev_result(), Result{});
}

TEST(PrevResult, OfAnotherLayoutIsConverted) {  // PREV-01 D
  for (const char* version : {"0.2.0", "0.4.0", "1.0.0", "1.1.0"}) {
    for (const char* prev :
         {"{'cniVersion':'0.1.0','ip4':{'ip':'10.0.0.2/8'}}",
          "{'cniVersion':'0.3.1','ips':[{'version':'4','address':'10.0.0.2/8'}]}",
          "{'cniVersion':'1.1.0','ips':[{'address':'10.0.0.2/8'}]}"}) {
      const Netconf conf =
          parse("{'cniVersion':'" + std::string(version) + "','prevResult':" + prev + "}");
      ASSERT_TRUE(conf.prev_result());
      ASSERT_EQ(conf.prev_result()->ips.size(), 1U);
      EXPECT_EQ(conf.prev_result()->ips[0].address.str(), "10.0.0.2/8");
    }
  }
}

TEST(PrevResult, EmptyVersionIsOldOrAnError) {  // PREV-02
  EXPECT_EQ(parse("{'cniVersion':'0.2.0','prevResult':{'cniVersion':'','ip4':{'ip':'10.0.0.2/8'}}}")
                .prev_result()
                ->ips.size(),
            1U);
  EXPECT_EQ(
      refusal(Code::decode,
              [] {
                (void)parse("{'cniVersion':'0.4.0','prevResult':{'cniVersion':''}}").prev_result();
              }),
      "cannot decode prevResult: its cniVersion is empty");
  EXPECT_NE(
      refusal(Code::decode,
              [] {
                (void)parse("{'cniVersion':'0.4.0','prevResult':{'cniVersion':4}}").prev_result();
              }),
      "");
  EXPECT_NE(
      refusal(
          Code::decode,
          [] {
            (void)parse("{'cniVersion':'0.4.0','prevResult':{'cniVersion':'7.0.0'}}").prev_result();
          }),
      "");
  EXPECT_EQ(refusal(Code::incompatible_version,
                    [] { (void)parse("{'cniVersion':'9.9.9','prevResult':{}}").prev_result(); }),
            "unknown cniVersion \"9.9.9\"");
}

using List = std::vector<Attachment>;

std::optional<List> valid(const Netconf& netconf) {
  const auto attachments = netconf.valid_attachments();
  if (!attachments) return std::nullopt;
  List list;
  attachments->for_each([&](std::string_view container_id, std::string_view if_name) {
    list.push_back({std::string(container_id), std::string(if_name)});
  });
  return list;
}

TEST(ValidAttachments, ThreeShapes) {  // GC-10
  EXPECT_EQ(valid(parse("{}")), std::nullopt);
  EXPECT_EQ(valid(parse("{'cni.dev/valid-attachments':null}")), List{});
  EXPECT_EQ(valid(parse("{'cni.dev/valid-attachments':[]}")), List{});
  const char* one = "[{'containerID':'c','ifname':'eth0','more':1}]";
  EXPECT_EQ(valid(parse(std::string("{'cni.dev/valid-attachments':") + one + "}")),
            (List{{"c", "eth0"}}));
}

TEST(ValidAttachments, FirstKeyThenSecond) {  // GC-02
  EXPECT_EQ(valid(parse("{'cni.dev/attachments':[{'containerID':'c','ifname':'e'}]}")),
            (List{{"c", "e"}}));
  EXPECT_EQ(valid(parse("{'cni.dev/attachments':[{'containerID':'c','ifname':'e'}],'cni.dev/"
                        "valid-attachments':null}")),
            List{});
  EXPECT_EQ(valid(parse("{'CNI.dev/attachments':[]}")), std::nullopt);
  EXPECT_EQ(valid(parse("{'cni.dev/attachments':[1],'cni.dev/attachments':[{'containerID':'c',"
                        "'ifname':'e'}]}")),
            (List{{"c", "e"}}))
      << "the last of equal keys";
  EXPECT_EQ(
      valid(parse("{'plugins':[{'cni.dev/attachments':[1]}],'x':{'cni.dev/attachments':[2]}}")),
      std::nullopt)
      << "only of the outermost object";
}

TEST(ValidAttachments, RefusesOtherShapes) {
  for (const char* list :
       {"{}", "'x'", "1", "[null]", "['c']", "[{}]", "[{'containerID':'c'}]", "[{'ifname':'e'}]",
        "[{'containerID':1,'ifname':'e'}]", "[{'containerID':'c','ifname':'e'},[]]"}) {
    const Netconf conf = parse(std::string("{'cni.dev/valid-attachments':") + list + "}");
    EXPECT_NE(refusal(Code::decode, [&] { (void)conf.valid_attachments(); }), "") << list;
  }
}

TEST(ValidAttachments, MembersOfEntriesAreFoundAsEverywhere) {
  const auto entry = [](const char* text) {
    return valid(parse(std::string("{'cni.dev/attachments':[") + text + "]}"));
  };
  EXPECT_EQ(entry("{'CONTAINERid':'c','IfName':'e'}"), (List{{"c", "e"}}));
  EXPECT_EQ(entry("{'CONTAINERID':'x','containerID':'c','containerid':'y','ifname':'e'}"),
            (List{{"c", "e"}}));
  EXPECT_EQ(entry("{'ifname':'x','containerID':'c','ifname':'e'}"), (List{{"c", "e"}}));
  EXPECT_EQ(entry("{'m':{'containerID':1,'l':[[{'ifname':2}]]},'containerID':'c','ifname':'e',"
                  "'n':[{'containerID':'z'}]},{'containerID':'','ifname':'\\u00e4'}"),
            (List{{"c", "e"}, {"", "ä"}}));
  for (const char* bad :
       {"{'containerID':'c','ifname':null}", "{'containerID':null,'CONTAINERID':'c','ifname':'e'}",
        "{'containerID':['c'],'ifname':'e'}", "{'containerID':'c','ifname':{'ifname':'e'}}"}) {
    EXPECT_NE(refusal(Code::decode, [&] { (void)entry(bad); }), "") << bad;
  }
}

TEST(ValidAttachments, AreNotNestedWithoutEnd) {
  const std::string open(300, '[');
  const std::string text = "{'cni.dev/attachments':" + open + std::string(300, ']') + "}";
  EXPECT_THAT(refusal(Code::decode, [&] { (void)parse(text); }), testing::HasSubstr("256 levels"));
}

constexpr const char* kList = R"({
  "cniVersion": "1.0.0", "name": "net", "type": "unicni", "big": 1,
  "runtimeConfig": {"portMappings": [{"hostPort": 80, "x": 1.0}], "mac": "aa", "ips": ["10.0.0.9/8"]},
  "prevResult": {"ips": []},
  "plugins": [
    {"type": "bridge", "capabilities": {"mac": true, "ips": false, "other": true}, "ipam": {"type": "host-local"}, "big": 12345678901234567890123, "f": 1.0},
    {"name": "own", "CNIVersion": "0.1.0", "type": "portmap", "capabilities": {"portMappings": true}, "prevResult": {}, "runtimeConfig": {"mac": "bb"},
     "cni.dev/valid-attachments": []},
    {"type": "firewall"}]
})";

TEST(Members, GetWhatARuntimeWouldSend) {  // REQ-01 to REQ-06, CONF-18, CONF-20, CONF-21
  std::vector<std::string> warnings;
  const auto members = Netconf::parse(kList).members(&warnings);
  EXPECT_EQ(
      warnings,
      (std::vector<std::string>{
          "\"plugins\"[1].\"prevResult\" is not passed on, the runtime writes that key",
          "\"plugins\"[1].\"runtimeConfig\" is not passed on, the runtime writes that key",
          "\"plugins\"[1].\"cni.dev/valid-attachments\" is not passed on, the runtime writes that "
          "key"}));
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(
      members[0].text(),
      R"({"cniVersion":"1.0.0","name":"net","type": "bridge","ipam": {"type": "host-local"},"big": 12345678901234567890123,"f": 1.0,"runtimeConfig":{"mac": "aa"}})");
  EXPECT_EQ(
      members[1].text(),
      R"({"cniVersion":"1.0.0","name":"net","type": "portmap","runtimeConfig":{"portMappings": [{"hostPort": 80, "x": 1.0}]}})");
  EXPECT_EQ(members[2].text(), R"({"cniVersion":"1.0.0","name":"net","type": "firewall"})");
  EXPECT_EQ(members[0].type(), "bridge");
  EXPECT_EQ(members[0].ipam_type(), "host-local");
  for (const Netconf& member : members) {
    EXPECT_EQ(member.name(), "net");
    EXPECT_EQ(member.cni_version(), "1.0.0");
    EXPECT_EQ(member.prev_result(), std::nullopt);
    EXPECT_EQ(valid(member), std::nullopt);
    EXPECT_EQ(member.json(), Json::parse(member.text()));
  }
}

TEST(Members, GetTheGcLists) {  // GC-01, GC-02
  const Netconf list = parse(
      "{'name':'n','cniVersion':'1.1.0','cni.dev/"
      "valid-attachments':[{'containerID':'c','ifname':'e'}],'cni.dev/"
      "attachments':null,'plugins':[{'type':'a','cni.dev/attachments':[1]}]}");
  const auto members = list.members();
  EXPECT_EQ(
      members.at(0).text_for(Command::gc),
      replaced(
          "{'cniVersion':'1.1.0','name':'n','type':'a','cni.dev/"
          "valid-attachments':[{'containerID':'c','ifname':'e'}],'cni.dev/attachments':null}"));
  for (const Command command : {Command::add, Command::del, Command::check, Command::status}) {
    EXPECT_EQ(members[0].text_for(command), members[0].text());
  }
  EXPECT_EQ(members[0].text(), replaced("{'cniVersion':'1.1.0','name':'n','type':'a'}"));
  EXPECT_EQ(valid(members[0]), (List{{"c", "e"}}));
  EXPECT_EQ(valid(Netconf::parse(members[0].text_for(Command::gc))), valid(members[0]));
}

TEST(Members, EqualKeysAndLetterCasesAgreeInTreeAndText) {
  const Netconf list = parse(
      "{'name':'n','RuntimeConfig':{'mac':'a','mac':'b'},'plugins':[{'type':'x'}],'plugins':[{'"
      "type':'a','\\u006eame':'own','Capabilities':{'mac':true},'k':1,'k':2}]}");
  const auto members = list.members();
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].json(), Json::parse(members[0].text()));
  EXPECT_EQ(members[0].json()["runtimeConfig"]["mac"], "b");
  EXPECT_EQ(members[0].json()["name"], "n");
}

TEST(Members, Refusals) {  // CONF-12, CONF-17, CONF-19, CONF-22
  for (const char* text :
       {"{}", "{'plugins':null}", "{'plugins':[]}", "{'plugins':{}}", "{'plugins':['x']}",
        "{'plugins':[{'type':'a'},null]}", "{'plugins':[{}]}", "{'plugins':[{'type':''}]}",
        "{'plugins':[{'type':'../x'}]}", "{'plugins':[{'type':'..'}]}",
        "{'plugins':[{'type':'a','capabilities':[]}]}",
        "{'plugins':[{'type':'a','capabilities':{'mac':1}}]}"}) {
    EXPECT_NE(refusal(Code::invalid_config, [&] { (void)parse(text).members(); }), "") << text;
  }
  EXPECT_EQ(
      refusal(Code::decode,
              [] { (void)parse("{'plugins':[{'type':'a'},{'type':'b','ipam':1}]}").members(); }),
      "cannot decode \"plugins\"[1]: \"ipam\" is of type number");
}

Result some_result() {
  Result result;
  result.interfaces.push_back({"eth0", "", 1400, "/ns", "", "", ""});
  result.ips.push_back({*IpNet::parse("10.0.0.2/8"), std::nullopt, 0, ""});
  return result;
}

TEST(WithPrevResult, PrintsInTheConfigurationsVersion) {
  const Result result = some_result();
  struct {
    const char* version;
    const char* prev;
  } const cases[] = {
      {"0.1.0", "{'cniVersion':'0.1.0','ip4':{'ip':'10.0.0.2/8'},'dns':{}}"},
      {"0.4.0",
       "{'cniVersion':'0.4.0','interfaces':[{'name':'eth0','sandbox':'/"
       "ns'}],'ips':[{'version':'4','interface':0,'address':'10.0.0.2/8'}],'dns':{}}"},
      {"1.1.0",
       "{'cniVersion':'1.1.0','interfaces':[{'mtu':1400,'name':'eth0','sandbox':'/"
       "ns'}],'ips':[{'address':'10.0.0.2/8','interface':0}]}"},
  };
  for (const auto& test : cases) {
    const std::string head =
        replaced("{'cniVersion':'" + std::string(test.version) + "','big':1.00e2");
    const Netconf conf =
        Netconf::parse(head + replaced(",'PREVRESULT':{},'prevResult':{'dns':{}}}"));
    const Netconf next = conf.with_prev_result(&result);
    EXPECT_EQ(next.text(), head + replaced(",'prevResult':" + std::string(test.prev) + "}"));
    // In this process a step sees what one in a process of its own would.
    EXPECT_EQ(next.prev_result(), Netconf::parse(next.text()).prev_result());
    EXPECT_EQ(conf.prev_result(), Result{});
  }
}

TEST(WithPrevResult, WithoutOne) {
  const Netconf conf = parse("{'prevResult':{'dns':{}},'name':'n','prevResult':{}}");
  const Netconf next = conf.with_prev_result(nullptr);
  EXPECT_EQ(next.text(), "{\"name\":\"n\"}");
  EXPECT_EQ(next.prev_result(), std::nullopt);
  EXPECT_EQ(next.name(), "n");
  EXPECT_EQ(parse("{'prevResult':{}}").with_prev_result(nullptr).text(), "{}");
}

TEST(WithPrevResult, KeepsTheGcLists) {
  const Netconf next = parse("{'cni.dev/attachments':[]}").with_prev_result(nullptr);
  EXPECT_EQ(valid(next), List{});
}

TEST(WithPrevResult, RefusesWhatTheVersionCannotExpress) {  // CONV-09
  const Result layer2;
  const Netconf conf = parse("{'cniVersion':'0.2.0'}");
  EXPECT_NE(refusal(Code::invalid_config, [&] { (void)conf.with_prev_result(&layer2); }), "");
}

TEST(Netconf, AnIpamWithKeysButNoTypeIsTold) {
  const auto untyped = [](const std::string& ipam) {
    return Netconf::parse(R"({"name":"n","type":"t")" + ipam + "}").has_untyped_ipam();
  };
  EXPECT_TRUE(untyped(R"(,"ipam":{"ranges":[[{"subnet":"10.7.0.0/24"}]]})"));
  EXPECT_TRUE(untyped(R"(,"ipam":{"Type":"","subnet":"10.7.0.0/24"})"));
  for (const char* silent :
       {"", R"(,"ipam":{})", R"(,"ipam":null)", R"(,"ipam":{"type":""})",
        R"(,"ipam":{"type":null,"subnet":null})", R"(,"ipam":{"type":"static","addresses":[]})"}) {
    EXPECT_FALSE(untyped(silent)) << silent;
  }
}

TEST(Netconf, AListMayNameAChainInsteadOfItsPlugins) {
  const auto chain = [](const std::string& keys) {
    return Netconf::parse(R"({"name":"n","type":"unicni")" + keys + "}").chain();
  };
  EXPECT_EQ(chain(""), std::nullopt);
  EXPECT_EQ(chain(R"(,"chain":null)"), std::nullopt);
  EXPECT_EQ(chain(R"(,"chain":"web")"), "web");
  EXPECT_EQ(chain(R"(,"Chain":"web")"), "web");
  for (const char* keys : {R"(,"chain":"")", R"(,"chain":"../web")", R"(,"chain":"a/b")",
                           R"(,"chain":"..")", R"(,"chain":1)", R"(,"chain":"web","plugins":[])"}) {
    EXPECT_NE(refusal_of([&] { chain(keys); }), "") << keys;
  }
}

TEST(Netconf, TheChainsPluginsGetWhatTheRuntimeSent) {
  const Netconf list =
      Netconf::parse(R"({"cniVersion":"1.0.0","name":"n","type":"unicni","chain":"web",)"
                     R"("capabilities":{"mac":true},"runtimeConfig":{"mac":"02:00"},)"
                     R"("prevResult":{"cniVersion":"1.0.0","dns":{"domain":"d"}}})")
          .with_plugins(R"([{"type":"a","x":1.0,"capabilities":{"mac":true}},{"type":"b"}])");
  EXPECT_EQ(list.chain(), std::nullopt);
  EXPECT_EQ(list.prev_result()->dns.domain, "d");
  const auto members = list.members();
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(
      members[0].text(),
      R"({"cniVersion":"1.0.0","name":"n","type":"a","x":1.0,"runtimeConfig":{"mac":"02:00"}})");
  EXPECT_EQ(members[1].text(), R"({"cniVersion":"1.0.0","name":"n","type":"b"})");
}

TEST(Netconf, AnotherTextKeepsWhatTheRuntimeAdded) {
  const Netconf before = Netconf::parse(
      R"({"cniVersion":"1.1.0","name":"n","type":"a","cni.dev/valid-attachments":[],)"
      R"("prevResult":{"cniVersion":"1.1.0","dns":{"domain":"d"}}})");
  const Netconf after = before.with_text(R"({"cniVersion":"1.1.0","name":"n","type":"a","mtu":1})");
  EXPECT_EQ(after.text(), R"({"cniVersion":"1.1.0","name":"n","type":"a","mtu":1})");
  EXPECT_EQ(after.prev_result()->dns.domain, "d");
  EXPECT_TRUE(after.valid_attachments());
}

}  // namespace
}  // namespace unicni::protocol::netconf_test
