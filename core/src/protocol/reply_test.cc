#include "protocol/reply.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace unicni::protocol::reply_test {
namespace {

constexpr const char* kTwo[] = {"0.4.0", "1.0.0", nullptr};

TEST(ErrorReply, Layout) {  // ERR-01
  EXPECT_EQ(
      print_error(Error(Code::invalid_config, "missing network name", "give \"name\""), "1.0.0"),
      "{\n"
      "    \"cniVersion\": \"1.0.0\",\n"
      "    \"code\": 7,\n"
      "    \"msg\": \"missing network name\",\n"
      "    \"details\": \"give \\\"name\\\"\"\n"
      "}");
  EXPECT_EQ(print_error(Error(104U, "own"), "1.1.0"),  // ERR-02
            "{\n    \"cniVersion\": \"1.1.0\",\n    \"code\": 104,\n    \"msg\": \"own\"\n}");
}

TEST(ErrorReply, StaysJsonWhateverTheTextHolds) {
  const std::string text =
      print_error(Error(Code::internal, "bad \xff\xc3 byte\n", "\x01\xed\xa0\x80"), "\xfe");
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["msg"], "bad \xEF\xBF\xBD\xEF\xBF\xBD byte\n");
}

TEST(ErrorReply, QuotesABoundedPartOfALongInput) {
  const std::string name(200'000, 'n');
  const auto json =
      nlohmann::json::parse(print_error(Error(Code::invalid_config, name, name), "1.1.0"));
  for (const char* key : {"msg", "details"}) {
    const std::string text = json[key];
    EXPECT_TRUE(text.starts_with(name.substr(0, 4000))) << key;
    EXPECT_TRUE(text.ends_with("… (196000 bytes more)")) << key;
  }
  EXPECT_EQ(bounded(name.substr(0, 4000)), name.substr(0, 4000));
}

TEST(DelegateError, CodesReachTheCallerUnchanged) {  // ERR-02
  struct {
    const char* out;
    unsigned code;
    const char* msg;
    const char* details;
  } const cases[] = {
      {R"({"code":11,"msg":"later","details":"d"})", 11, "later", "d"},
      {R"( {"cniVersion":"0.4.0","code":7,"msg":"m","x":[1]} )", 7, "m", ""},
      {R"({"code":123,"msg":"own"})", 123, "own", ""},
      {R"({"msg":"no code"})", 999, "no code", ""},
      {R"({"code":0,"msg":"zero"})", 0, "zero", ""},
      {R"({"Code":3,"MSG":"case"})", 3, "case", ""},
      // ERR-06: without msg the reason stands in.
      {R"({})", 999, "netplugin failed with no error message: exit status 3", ""},
      {R"({"code":5,"msg":""})", 5, "netplugin failed with no error message: exit status 3", ""},
  };
  for (const auto& test : cases) {
    const Error error = parse_error(test.out, "", {"exit status 3"});
    EXPECT_EQ(error.code(), test.code) << test.out;
    EXPECT_EQ(error.msg(), test.msg) << test.out;
    EXPECT_EQ(error.details(), test.details) << test.out;
  }
}

TEST(DelegateError, SilenceIsFilledFromStderrAndReason) {  // ERR-04
  EXPECT_EQ(parse_error("", "", {"signal 9 (SIGKILL)"}).msg(),
            "netplugin failed with no error message: signal 9 (SIGKILL)");
  const Error error = parse_error(" \n", "panic: x\n", {"exit status 2"});
  EXPECT_TRUE(error.is(Code::internal));
  EXPECT_EQ(error.msg(), "netplugin failed (exit status 2): \"panic: x\"");
}

TEST(DelegateError, UnparsableOutputIsQuoted) {  // ERR-05
  for (const std::string out :
       {"garbage", "[1]", "null", "3", R"({"code":-1})", R"({"code":"7","msg":"m"})",
        R"({"code":1.5})", R"({"code":4294967296})", R"({"msg":1})", R"({"msg":"a","details":{}})",
        R"({"msg":"a"}{"msg":"b"})", "\xff"}) {
    const Error error = parse_error(out, "said on stderr", {"exit status 1"});
    EXPECT_TRUE(error.is(Code::internal)) << out;
    EXPECT_EQ(error.msg().rfind(
                  "netplugin failed (exit status 1) but error parsing its diagnostic message", 0),
              0U)
        << error.msg();
    EXPECT_EQ(error.details(), "its stderr: said on stderr");
  }
  EXPECT_NE(parse_error("garbage", "", {"exit status 1"}).msg().find("\"garbage\""),
            std::string::npos);
  EXPECT_LT(parse_error(std::string(1 << 20, 'x'), "", {"exit status 1"}).msg().size(), 4096U);
}

TEST(VersionReply, EchoesAKnownVersion) {  // VERN-01 to VERN-03
  const std::string all =
      R"("supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]})";
  struct {
    std::string text;
    const char* version;
  } const cases[] = {
      {R"({"cniVersion":"0.4.0"})", "0.4.0"},
      {R"({"CNIVERSION":"1.0.0","name":3})", "1.0.0"},
      {R"({"cniVersion":"9.9.9"})", "1.1.0"},
      {R"({"cniVersion":4})", "1.1.0"},
      {R"({"cniVersion":""})", "1.1.0"},
      {"", "1.1.0"},
      {"garbage", "1.1.0"},
      {"[]", "1.1.0"},
      {std::string(400, '['), "1.1.0"},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(print_version(test.text),
              R"({"cniVersion":")" + std::string(test.version) + "\"," + all + "\n")
        << test.text;
  }
  EXPECT_EQ(print_version("", kTwo),
            "{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.4.0\",\"1.0.0\"]}\n");
}

TEST(AboutReply, TheReferencesLinesAndOurs) {  // EXEC-10
  EXPECT_EQ(print_about("static"),
            "CNI static plugin v1.9.1\n"
            "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n"
            "unicni " UNICNI_VERSION "\n");
  EXPECT_EQ(print_about("x", kTwo),
            "CNI x plugin v1.9.1\nCNI protocol versions supported: 0.4.0, 1.0.0\n"
            "unicni " UNICNI_VERSION "\n");
  EXPECT_EQ(print_about("x", kTwo, "7.1"),
            "CNI x plugin v1.9.1\nCNI protocol versions supported: 0.4.0, 1.0.0\n"
            "unicni " UNICNI_VERSION ", x 7.1\n");
}

}  // namespace
}  // namespace unicni::protocol::reply_test
