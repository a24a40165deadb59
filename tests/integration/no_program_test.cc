// The default backends do their work themselves: no verb starts a program.
#include "integration/chained.h"
#include "support/tracer.h"

namespace unicni::test::no_program_test {
namespace {

using ::testing::IsEmpty;

class NoProgram : public ChainedTest, public ::testing::WithParamInterface<bool> {
 protected:
  NoProgram() {
    // What a hardened host has; the first attachment may look at it with a program.
    if (GetParam()) tool({"iptables", "-P", "FORWARD", "DROP"});
  }
  static Json plugin(const char* text) { return Json::parse(text); }
  static Json mappings(int port) {
    return {{"portMappings",
             {{{"hostPort", port}, {"containerPort", 80}, {"protocol", "tcp"}},
              {{"hostPort", port}, {"containerPort", 53}, {"protocol", "udp"}}}}};
  }
  static std::vector<Json> chained() {
    return {plugin(R"({"type": "tuning", "mtu": 1400, "sysctl": {"net.core.somaxconn": "500"}})"),
            plugin(R"({"type": "portmap", "capabilities": {"portMappings": true}})"),
            plugin(R"({"type": "firewall", "ingressPolicy": "same-bridge"})"),
            plugin(R"({"type": "bandwidth", "ingressRate": 1000000, "ingressBurst": 1000000,
                       "egressRate": 1000000, "egressBurst": 1000000})"),
            plugin(R"({"type": "sbr"})")};
  }
  /// The answer of a verb that must succeed by itself.
  static std::string expect_alone(const Attachment& job, const char* verb, const Json& config) {
    SCOPED_TRACE(job.config["type"].get<std::string>() + ' ' + verb);
    const Life life = watch_births(job.spawn(verb, config));
    EXPECT_EQ(life.output.status, 0) << life.output.str();
    EXPECT_THAT(life.births, IsEmpty());
    // One a link, one for nftables; also GC deletes nothing here.
    EXPECT_LE(life.forks, verb == std::string("DEL") ? 3 : 0);
    return life.output.out;
  }
  static Json with_result(Json config, const Json& result) {
    config["prevResult"] = result;
    return config;
  }
};

TEST_P(NoProgram, AWholeListInOneProcess) {
  Json config = {{"cniVersion", "1.1.0"}, {"name", "mynet"}, {"type", "unicni"}};
  config["plugins"] = {bridge()};
  for (const Json& each : chained()) config["plugins"].push_back(each);
  Attachment first = attachment(config, "first");
  first.config["runtimeConfig"] = mappings(8000);
  must_add(first);

  Attachment job = attachment(config, "second");
  job.config["runtimeConfig"] = mappings(8001);
  const Json result = Json::parse(expect_alone(job, "ADD", job.config));
  expect_alone(job, "CHECK", with_result(job.config, result));
  expect_alone(job, "DEL", with_result(job.config, result));
  Attachment nobody = job;
  nobody.container_id = nobody.netns = nobody.if_name = "";
  expect_alone(nobody, "STATUS", nobody.config);
  Json collect = nobody.config;
  collect["cni.dev/valid-attachments"] = Json::array({valid_entry(first)});
  expect_alone(nobody, "GC", collect);
}

TEST_P(NoProgram, EachPluginInAProcessOfItsOwn) {
  // Makes what one host needs once.
  const auto attach = [&](const std::string& name, int port, const auto& add) {
    std::vector<Attachment> list{bridged(name, "1.1.0")};
    std::vector<Json> results{add(list[0])};
    for (Json each : chained()) {
      if (each["type"] == "portmap") each["runtimeConfig"] = mappings(port);
      list.push_back(after(list[0], results.back(), each));
      results.push_back(add(list.back()));
    }
    for (Attachment& each : list) each.config["prevResult"] = results.back();
    return list;
  };
  attach("first", 8000, [](const Attachment& job) { return must_add(job); });
  const auto list = attach("second", 8001, [](const Attachment& job) {
    return Json::parse(expect_alone(job, "ADD", job.config));
  });
  for (const Attachment& job : list) expect_alone(job, "CHECK", job.config);
  for (auto job = list.rbegin(); job != list.rend(); ++job) {
    expect_alone(*job, "DEL", job->config);
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, NoProgram, ::testing::Bool(), [](const auto& each) {
  return std::string(each.param ? "ForwardDrops" : "ForwardAccepts");
});

/// A failing expectation must be possible.
class NoProgramProof : public ChainedTest {};

TEST_F(NoProgramProof, AProgramWouldBeSeen) {
  Json config = mynet_1_0();
  config["ipMasqBackend"] = "iptables";
  EXPECT_THAT(watch_births(attachment(config).spawn("ADD", config)).births,
              ::testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace unicni::test::no_program_test
