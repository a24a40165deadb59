#include "protocol/list_request.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "protocol/result_parse.h"
#include "unicni/error.h"

namespace unicni::protocol::list_request_test {
namespace {

using ::testing::HasSubstr;

std::string json(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}

NetworkList list_at(const std::string& version) {
  NetworkList list = parse_list(
      json("{'name':'n','plugins':["
           "{'type':'a','name':'mine','cniVersion':'0.1.0','x':1.0,'prevResult':{'ips':[]},"
           "'cni.dev/attachments':[],'runtimeConfig':{'u':1},"
           "'capabilities':{'ips':true,'mac':false}},"
           "{'type':'b','args':{'k':[1]},'capabilities':{'ports':true}},"
           "{'type':'a'}]}"),
      "f");
  list.cni_version = version;
  return list;
}

std::vector<std::string> requests(Command command, const RequestParts& parts = {}) {
  std::vector<std::string> texts;
  for (const Netconf& member : make_list_request(list_at("1.1.0"), command, parts).members()) {
    texts.push_back(member.text_for(command));
  }
  return texts;
}

TEST(ListRequest, MembersHaveTheListsNameAndVersion) {  // REQ-01, CONF-18, CONF-20, REQ-04
  const auto texts = requests(Command::add);
  ASSERT_EQ(texts.size(), 3U);
  EXPECT_EQ(texts[0], json("{'cniVersion':'1.1.0','name':'n','type':'a','x':1.0}"))
      << "nothing that is the runtime's to write comes from the file";
  EXPECT_EQ(texts[1], json("{'cniVersion':'1.1.0','name':'n','type':'b','args':{'k':[1]}}"));
  EXPECT_EQ(texts[2], json("{'cniVersion':'1.1.0','name':'n','type':'a'}"));
}

TEST(ListRequest, RuntimeConfigIsWhatTheMemberDeclares) {  // REQ-02, REQ-03, REQ-06
  const RequestParts parts{
      json("{'ips':['10.0.0.2/8'],'mac':'02:00:00:00:00:01','ports':[{'n':1.50}],'other':1}"), {}};
  for (const Command command : {Command::add, Command::check, Command::del}) {
    const auto texts = requests(command, parts);
    EXPECT_THAT(texts[0], HasSubstr(json("'runtimeConfig':{'ips':['10.0.0.2/8']}}")));
    EXPECT_THAT(texts[1], HasSubstr(json("'runtimeConfig':{'ports':[{'n':1.50}]}}")));
    EXPECT_EQ(texts[2].find("runtimeConfig"), std::string::npos);
  }
  for (const Command command : {Command::gc, Command::status}) {  // REQ-05
    EXPECT_EQ(requests(command, parts)[0].find("runtimeConfig"), std::string::npos);
  }
}

TEST(ListRequest, CapabilityArgumentsAreOneObject) {
  for (const char* text : {"[]", "1", "{", "{},\"type\":\"x\"", "{}}"}) {
    try {
      make_list_request(list_at("1.1.0"), Command::add, {text, {}});
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::decode));
      EXPECT_THAT(error.msg(), HasSubstr("the capability arguments"));
    }
  }
}

TEST(ListRequest, GcHasItsListUnderBothKeys) {  // GC-01, GC-02
  const RequestParts parts{{}, ValidAttachments({{"c1", "eth0"}, {"c\"2", "eth1"}})};
  const std::string list = json(R"([{'containerID':'c1','ifname':'eth0'},)") +
                           R"({"containerID":"c\"2","ifname":"eth1"}])";
  EXPECT_EQ(requests(Command::gc, parts)[2],
            json("{'cniVersion':'1.1.0','name':'n','type':'a','cni.dev/valid-attachments':") +
                list + json(",'cni.dev/attachments':") + list + "}");
  for (const Command command : {Command::add, Command::status}) {
    EXPECT_EQ(requests(command, parts)[2], json("{'cniVersion':'1.1.0','name':'n','type':'a'}"));
  }
}

TEST(ListRequest, NoValidAttachmentIsNotNoList) {  // GC-10
  EXPECT_THAT(requests(Command::gc, {{}, ValidAttachments()})[0],
              HasSubstr(json("'cni.dev/valid-attachments':[],'cni.dev/attachments':[]")));
  EXPECT_EQ(requests(Command::gc)[0].find("cni.dev"), std::string::npos);
}

TEST(ListRequest, ReadsBackAsWhatTheExecutableReads) {
  const Netconf request =
      make_list_request(list_at("1.1.0"), Command::gc, {{}, ValidAttachments({{"c", "eth0"}})});
  EXPECT_EQ(request.type(), "unicni");
  EXPECT_EQ(request.name(), "n");
  ASSERT_TRUE(request.valid_attachments());
  EXPECT_TRUE(request.valid_attachments()->contains({"c", "eth0"}));
}

TEST(ListRequest, AMembersPrevResultIsInTheListsVersion) {  // DEL-09, PREV-01
  const Result result =
      parse_result(json("{'cniVersion':'1.0.0','interfaces':[{'name':'e','mtu':9}],"
                        "'ips':[{'address':'10.0.0.2/8','interface':0}]}"),
                   SpecVersion::v1_0_0);
  const auto members = make_list_request(list_at("0.4.0"), Command::del, {}).members();
  EXPECT_THAT(members[1].with_prev_result(&result).text(),
              HasSubstr(json("'prevResult':{'cniVersion':'0.4.0','interfaces':[{'name':'e'}],"
                             "'ips':[{'version':'4','interface':0,'address':'10.0.0.2/8'}],"
                             "'dns':{}}}")));
}

TEST(ListRequest, WhichPrevResultAMemberGets) {  // ADD-05, DEL-07, DEL-08, CHK-05, REQ-05
  const NetworkList list = list_at("0.4.0");
  EXPECT_EQ(prev_result_of(list, Command::add, 0), PrevResult::none);
  EXPECT_EQ(prev_result_of(list, Command::add, 1), PrevResult::of_member_before);
  for (const std::size_t ordinal : {0U, 2U}) {
    EXPECT_EQ(prev_result_of(list, Command::del, ordinal), PrevResult::of_attachment);
    EXPECT_EQ(prev_result_of(list, Command::check, ordinal), PrevResult::of_attachment);
    EXPECT_EQ(prev_result_of(list, Command::gc, ordinal), PrevResult::none);
    EXPECT_EQ(prev_result_of(list, Command::status, ordinal), PrevResult::none);
    EXPECT_EQ(prev_result_of(list_at("0.3.1"), Command::del, ordinal), PrevResult::none);
    EXPECT_EQ(prev_result_of(list_at("1.2.0"), Command::del, ordinal), PrevResult::none);
  }
}

TEST(ListRequest, AVersionThatWeDontKnowIsRefusedEarly) {  // CONF-08, DEL-14, VERN-07
  for (const char* version : {"1.2.3", "1.0", "x"}) {
    for (const Command command : {Command::add, Command::check}) {
      try {
        extent_of(list_at(version), command);
        FAIL() << version;
      } catch (const Error& error) {
        EXPECT_TRUE(error.is(Code::incompatible_version));
        EXPECT_EQ(error.msg(), std::string("f: unknown cniVersion \"") + version + '"');
      }
    }
  }
  EXPECT_EQ(extent_of(list_at("1.2.3"), Command::del), Extent::whole) << "what is there must go";
  EXPECT_THROW(extent_of(list_at("x"), Command::del), Error);
}

TEST(ListRequest, CheckCameWith0_4_0) {  // CHK-01, CONF-10
  NetworkList list = list_at("0.3.1");
  list.disable_check = true;
  try {
    extent_of(list, Command::check);
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::incompatible_version));
    EXPECT_THAT(error.msg(), HasSubstr("does not support the CHECK command"));
  }
  list.cni_version = "0.4.0";
  EXPECT_EQ(extent_of(list, Command::check), Extent::nothing);
  list.disable_check = false;
  EXPECT_EQ(extent_of(list, Command::check), Extent::whole);
}

TEST(ListRequest, GcAndStatusCameWith1_1_0) {  // GC-05, GC-12, STAT-03
  NetworkList list = list_at("1.0.0");
  EXPECT_EQ(extent_of(list, Command::gc), Extent::without_plugins);
  EXPECT_EQ(extent_of(list, Command::status), Extent::nothing);
  list.cni_version = "x";
  EXPECT_EQ(extent_of(list, Command::status), Extent::nothing);
  list.cni_version = "1.1.0";
  EXPECT_EQ(extent_of(list, Command::gc), Extent::whole);
  EXPECT_EQ(extent_of(list, Command::status), Extent::whole);
  list.disable_gc = true;
  EXPECT_EQ(extent_of(list, Command::gc), Extent::nothing);
  EXPECT_EQ(extent_of(list, Command::add), Extent::whole);
}

}  // namespace
}  // namespace unicni::protocol::list_request_test
