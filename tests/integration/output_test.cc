// stdout belongs to the protocol: one document or nothing, whatever the request was.
#include "integration/host_test.h"

namespace unicni::test::output_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Stdout : public HostTest {
 protected:
  static Output call(const std::vector<std::string>& env, const std::string& in,
                     const std::string& type = "bridge") {
    return run({.argv = {bin_dir() + '/' + type}, .env = env, .in = in});
  }
  static std::vector<std::string> environment(const std::string& command) {
    return {"CNI_COMMAND=" + command, "CNI_CONTAINERID=c1", "CNI_NETNS=/run/netns/c1",
            "CNI_IFNAME=eth0", "CNI_PATH=" + bin_dir()};
  }
};

TEST_F(Stdout, VersionAsPodmanAsksForIt) {
  for (const char* type : {"bridge", "loopback", "host-local", "static", "unicni"}) {
    SCOPED_TRACE(type);
    const Output output =
        call({"CNI_COMMAND=VERSION", "CNI_NETNS=dummy", "CNI_IFNAME=dummy", "CNI_PATH=dummy"},
             R"({"cniVersion": "1.0.0"})", type);
    EXPECT_TRUE(output.ok()) << output.str();
    const Json answer = output.json();
    EXPECT_EQ(answer["cniVersion"], "1.0.0");
    EXPECT_EQ(answer["supportedVersions"], Json(kVersions));
    EXPECT_EQ(output.err, "");
  }
}

TEST_F(Stdout, WithoutACommandItExplainsItselfOnStderr) {
  for (const char* type : {"bridge", "host-local", "unicni"}) {
    const Output output = call({}, "", type);
    EXPECT_EQ(output.status, 0);
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr("CNI " + std::string(type) + " plugin"));
    EXPECT_THAT(output.err, HasSubstr("CNI protocol versions supported: 0.1.0, 0.2.0"));
  }
}

TEST_F(Stdout, EveryFailureIsOneDocumentAndChangesNothing) {
  struct Case {
    const char* what;
    std::vector<std::string> env;
    std::string in;
    unsigned code;
  };
  const std::string good = mynet().dump();
  const auto with = [](const char* text) {
    Json config = mynet();
    config.merge_patch(Json::parse(text));
    return config.dump();
  };
  const auto changed = [](const std::string& variable) {
    auto env = environment("ADD");
    const std::string key = variable.substr(0, variable.find('=') + 1);
    for (std::string& each : env) {
      if (each.starts_with(key)) each = variable;
    }
    return env;
  };
  const std::vector<Case> cases = {
      {"empty stdin", environment("ADD"), "", 6},
      {"half an object", environment("ADD"), "{", 6},
      {"an array", environment("ADD"), "[]", 6},
      {"two documents", environment("ADD"), good + good, 6},
      {"deep nesting", environment("ADD"), std::string(300, '[') + std::string(300, ']'), 6},
      {"no UTF-8", environment("ADD"), "{\"name\": \"\xff\"}", 6},
      {"2 MiB", environment("ADD"), "{\"name\": \"" + std::string(2 << 20, 'x') + "\"}", 6},
      {"no name", environment("ADD"), R"({"cniVersion": "1.0.0", "type": "bridge"})", 7},
      {"bad name", environment("ADD"), with(R"({"name": "a/b"})"), 7},
      {"name is a number", environment("ADD"), with(R"({"name": 5})"), 0},
      {"unknown version", environment("ADD"), with(R"({"cniVersion": "9.9.9"})"), 1},
      {"short version", environment("ADD"), with(R"({"cniVersion": "1.0"})"), 1},
      {"unknown command", environment("NOPE"), good, 4},
      {"lower case command", environment("add"), good, 4},
      {"no container", changed("CNI_CONTAINERID="), good, 4},
      {"bad container", changed("CNI_CONTAINERID=_x"), good, 4},
      {"container with line end", changed("CNI_CONTAINERID=x\n"), good, 4},
      {"no netns", changed("CNI_NETNS="), good, 4},
      {"no ifname", changed("CNI_IFNAME="), good, 4},
      {"long ifname", changed("CNI_IFNAME=sixteen-bytes-xx"), good, 4},
      {"ifname with slash", changed("CNI_IFNAME=a/b"), good, 4},
      {"missing netns", changed("CNI_NETNS=/run/netns/none"), good, 8},
      {"CHECK too early", environment("CHECK"), good, 1},
      {"GC too early", environment("GC"), good, 1},
      {"STATUS too early", environment("STATUS"), good, 1},
      {"wrong type", environment("ADD"), with(R"({"isGateway": "yes"})"), 7},
      {"bad subnet", environment("ADD"), with(R"({"ipam": {"subnet": "10.22.0.0"}})"), 7},
      {"no range", environment("ADD"), with(R"({"ipam": {"subnet": null}})"), 7},
      {"prevResult is text", environment("ADD"), with(R"({"prevResult": "x"})"), 6},
  };
  const Container& inside = container();
  const Snapshot host = snapshot();
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    expect_error(call(each.env, each.in), each.code);
  }
  EXPECT_EQ(difference(host, snapshot()), "");
  EXPECT_THAT(link_names(inside.fd()), IsEmpty());
}

TEST_F(Stdout, ClosedStdinIsAnIoError) {
  container();
  expect_error(run({.argv = {bin_dir() + "/bridge"}, .env = environment("ADD"), .closed = {0}}), 5);
}

TEST_F(Stdout, MissingVariablesAreNamedAllAtOnce) {
  const Json error = expect_error(call({"CNI_COMMAND=ADD"}, mynet().dump()), 4);
  EXPECT_THAT(error["msg"], HasSubstr("CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME"));
}

TEST_F(Stdout, ErrorsCarryTheConfigurationsVersion) {
  for (const std::string& version : kVersions) {
    Json config = with_version(mynet(), version);
    config["bridge"] = "a/b";
    EXPECT_EQ(expect_error(attachment(config, "v" + version).add(), 7)["cniVersion"], version);
  }
}

TEST_F(Stdout, ResultIsInOneWriteAndErrorsOfStderrStayThere) {
  Attachment job = attachment(mynet_1_0());
  job.config["unknwon"] = 1;
  const Output output = job.add();
  EXPECT_TRUE(output.ok());
  EXPECT_TRUE(output.json().is_object());
  EXPECT_THAT(output.err, HasSubstr("unknwon"));
}

}  // namespace
}  // namespace unicni::test::output_test
