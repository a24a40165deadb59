// What the project's README says of chains and policies: its files work, and its commands do what
// they are said to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "command.h"
#include "support/sandbox.h"

namespace unicni::test::chains_readme_test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string section() {
  const std::string readme = read_file(UNICNI_SOURCE_DIR "/README.md");
  const std::string begin = "\n## Chains and policies\n";
  const auto at = readme.find(begin);
  if (at == std::string::npos) return {};
  return readme.substr(at, readme.find("\n## ", at + begin.size()) - at);
}

/// The only block of a language.
std::string block(const std::string& language) {
  const std::string text = section();
  const std::string begin = "\n```" + language + "\n";
  const auto at = text.find(begin);
  if (at == std::string::npos) return {};
  const auto start = at + begin.size();
  return text.substr(start, text.find("\n```", start) + 1 - start);
}

/// `unictl …` in the text, once each.
std::vector<std::string> commands() {
  static const std::regex kCommand("`(unictl [^`]+)`");
  const std::string text = section();
  std::vector<std::string> found;
  for (std::sregex_iterator each(text.begin(), text.end(), kCommand), end; each != end; ++each) {
    found.push_back((*each)[1]);
  }
  return found;
}

class ChainsOfTheReadme : public ::testing::Test {
 protected:
  ChainsOfTheReadme() {
    Sandbox::keep_etc();
    tool({"mkdir", "-p", "/etc/unicni/chains", "/etc/unicni/policy.d"});
    write_file("/etc/unicni/chains/web.yaml",
               "cniVersion: 1.1.0\nplugins:\n"
               "  - type: bridge\n    bridge: cni0\n"
               "    ipam: {type: host-local, subnet: 10.22.0.0/16}\n"
               "  - {type: portmap, capabilities: {portMappings: true}}\n");
    write_file("/etc/unicni/policy.d/a.yaml", block("yaml"));
  }

  Sandbox sandbox_;
};

TEST_F(ChainsOfTheReadme, EachCommandWorks) {
  const std::vector<std::string> all = commands();
  ASSERT_THAT(all, SizeIs(5)) << "a new one needs a word for what it is about";
  for (std::string line : all) {
    for (const auto& [word, what] :
         {std::pair("FILE…", "/etc/unicni/chains/web.yaml /etc/unicni/policy.d/a.yaml"),
          std::pair("NETWORK", "web"), std::pair("NAME", "web")}) {
      if (const auto at = line.find(word); at != std::string::npos) {
        // Not in K8S_POD_NAMESPACE.
        if (at == 0 || line[at - 1] == ' ') line.replace(at, std::string(word).size(), what);
      }
    }
    const Output output = run({.argv = {"sh", "-c", line},
                               .env = {"PATH=" + stage() + "/bin:/usr/sbin:/usr/bin:/sbin:/bin"}});
    EXPECT_EQ(output.status, 0) << line << output.str();
    EXPECT_EQ(output.err, "") << line;
  }
}

/// Whoever tries several on one host gets no address twice and no bridge with two subnets.
TEST(ExamplesBesideEachOther, HaveBridgesAndSubnetsOfTheirOwn) {
  const std::string folder = UNICNI_SOURCE_DIR "/config/examples/";
  std::vector<std::string> files{folder + "10-mynet.conf"};
  for (const auto& each : std::filesystem::directory_iterator(folder + "chains")) {
    files.push_back(each.path());
  }
  const std::regex own(R"re(\b(bridge|subnet)"?: ?"?([a-z0-9.:/]+))re");
  std::map<std::string, std::string> whose;
  for (const std::string& file : files) {
    const std::string text = read_file(file);
    for (std::sregex_iterator each(text.begin(), text.end(), own), end; each != end; ++each) {
      const auto [at, is_new] = whose.emplace((*each)[2], file);
      EXPECT_TRUE(is_new) << at->first << " of " << file << " is also that of " << at->second;
    }
  }
  EXPECT_GT(whose.size(), 10U);
}

TEST_F(ChainsOfTheReadme, TheWrapperIsWhatRenderPrints) {
  EXPECT_EQ(command("unictl", {"render", "--wrapper", "web"}).json(), Json::parse(block("json")));
}

TEST_F(ChainsOfTheReadme, ThePolicyHolds) {
  const Container inside("c1");
  Json config = Json::parse(block("json"));
  Attachment job{.config = config["plugins"][0], .netns = inside.path()};
  job.config["name"] = "web";
  job.config["cniVersion"] = "1.1.0";
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAMESPACE=forbidden";
  EXPECT_THAT(expect_error(job.add(), 120)["msg"].get<std::string>(),
              HasSubstr("networking is not offered here"));
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAMESPACE=tenant-a";
  const Json result = must_add(job);
  EXPECT_EQ(inside.json({"ip", "-j", "link", "show", "eth0"})[0]["mtu"], 1400);
  EXPECT_THAT(tool({"nft", "list", "ruleset"}).out, HasSubstr("masquerade")) << "ipMasq";
  int buckets = 0;
  for (const Json& qdisc : tool_json({"tc", "-j", "qdisc", "show"})) {
    if (qdisc["kind"] == "tbf") ++buckets;
  }
  EXPECT_EQ(buckets, 1) << "the rate that the rule adds";
  job.config["runtimeConfig"] = {
      {"portMappings", {{{"hostPort", 8080}, {"containerPort", 80}, {"protocol", "tcp"}}}}};
  job.container_id = "c2";
  EXPECT_THAT(expect_error(job.add(), 120)["msg"].get<std::string>(),
              HasSubstr("hostIP missing (all addresses) of portmap"));
  job.container_id = "c1";
  job.config.erase("runtimeConfig");
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

}  // namespace
}  // namespace unicni::test::chains_readme_test
