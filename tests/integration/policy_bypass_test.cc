// Every way by which a plugin may be called, and every spelling of what it is configured to: none
// of them leads past a policy.
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "integration/host_test.h"

namespace unicni::test::policy_bypass_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::IsEmpty;

constexpr const char* kFolder = "/run/opt/cni/bin";
constexpr const char* kBridge = R"("bridge":"cni0")";
constexpr const char* kIpam =
    R"("ipam":{"type":"host-local","subnet":"10.22.0.0/16","dataDir":"/run/ipam"})";

enum class File : unsigned char { installed, link, copy, hard_link, of_the_reference };
enum class Form : unsigned char { alone, named_by_type, list, chain, delegate };

/// How a runtime comes to the plugin bridge.
struct Way {
  const char* name;
  File file;
  Form form;
  const char* type;
};
constexpr Way kWays[] = {
    {"ItsOwnName", File::installed, Form::alone, "bridge"},
    {"ALinkOfAnotherName", File::link, Form::alone, "cnv-bridge"},
    {"ACopyOfAnotherName", File::copy, Form::alone, "x-bridge"},
    {"AHardLink", File::hard_link, Form::alone, "y-bridge"},
    {"UnicniWithItsType", File::installed, Form::named_by_type, "bridge"},
    {"AList", File::installed, Form::list, "bridge"},
    {"AListWithALink", File::link, Form::list, "cnv-bridge"},
    {"AListWithACopy", File::copy, Form::list, "x-bridge"},
    {"AListWithAHardLink", File::hard_link, Form::list, "y-bridge"},
    {"AListWithTheReferences", File::of_the_reference, Form::list, "bridge"},
    {"AChain", File::installed, Form::chain, "bridge"},
    {"AChainWithALink", File::link, Form::chain, "cnv-bridge"},
    {"AChainWithTheReferences", File::of_the_reference, Form::chain, "bridge"},
    {"ADelegate", File::installed, Form::delegate, "bridge"},
    {"ADelegateByALink", File::link, Form::delegate, "cnv-bridge"},
    {"ADelegateOfTheReferences", File::of_the_reference, Form::delegate, "bridge"},
};

/// Members of the plugin's object and of the request beside it, as text: a spelling may be one that
/// no JSON library writes.
struct Spelling {
  const char* plugin;
  const char* request = "";
  const char* args = "";
};

class Bypass : public HostTest, public ::testing::WithParamInterface<Way> {
 protected:
  Bypass() {
    Sandbox::keep_etc();
    fs::create_directories("/etc/unicni/policy.d");
    fs::create_directories("/etc/unicni/chains");
    fs::create_directories("/run/flannel");
    write_file("/run/flannel/subnet.env",
               "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=9000\n"
               "FLANNEL_IPMASQ=true\n");
    make_folder();
  }

  static void policy(const std::string& text) { write_file("/etc/unicni/policy.d/a.yaml", text); }

  [[nodiscard]] bool is_foreign() const { return GetParam().file == File::of_the_reference; }

  /// An ADD of a container of its own.
  Output add(const Spelling& spelling, Attachment& job) {
    const Way& way = GetParam();
    job = attachment(Json::object(), "c" + std::to_string(++count_));
    job.folder = bin_dir();
    job.cni_path = std::string(kFolder) + ':' + bin_dir();
    job.type = "unicni";
    if (*spelling.args != '\0') job.env["CNI_ARGS"] = spelling.args;
    request_ = request(way, spelling);
    if (way.form == Form::alone) {
      job.type = way.type;
      if (way.file != File::installed) job.folder = kFolder;
    }
    if (way.form == Form::delegate) job.type = "flannel";
    return call(job, "ADD");
  }
  [[nodiscard]] Output call(const Attachment& job, const std::string& command) const {
    Spawn spawn = job.spawn(command, job.config);
    spawn.in = request_;
    return run(spawn);
  }
  void del(const Attachment& job) {
    fs::rename("/etc/unicni/policy.d/a.yaml", "/etc/unicni/policy.d/a.off");
    EXPECT_EQ(call(job, "DEL").out, "");
    fs::rename("/etc/unicni/policy.d/a.off", "/etc/unicni/policy.d/a.yaml");
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_FALSE(container_of(job).succeeds({"ip", "link", "show", "eth0"}));
  }
  Json eth0(const Attachment& job) {
    return container_of(job).json({"ip", "-j", "link", "show", "eth0"})[0];
  }

  /// The ADD either fails or makes what `is_fine` says; what is refused has one of these codes.
  template <class IsFine>
  void expect_held(const std::vector<Spelling>& spellings, const IsFine& is_fine) {
    for (const Spelling& each : spellings) {
      SCOPED_TRACE(std::string(each.plugin) + ' ' + each.request + ' ' + each.args);
      Attachment job;
      const Output output = add(each, job);
      if (output.ok()) {
        EXPECT_TRUE(is_fine(job, output));
        del(job);
      } else {
        const Json error = expect_error(output);
        EXPECT_THAT(error["code"].get<int>(), AnyOf(120, 4, 6, 7)) << error.dump();
        EXPECT_THAT(files_in(kJournals), IsEmpty());
      }
    }
  }
  void expect_refused(const std::vector<Spelling>& spellings) {
    expect_held(spellings, [](const Attachment&, const Output& output) {
      ADD_FAILURE() << "attached: " << output.out;
      return true;
    });
  }

 private:
  static void make_folder() {
    const Way& way = GetParam();
    fs::create_directories(kFolder);
    const std::string place = std::string(kFolder) + '/' + way.type;
    const std::string executable = fs::canonical(bin_dir() + "/unicni");
    switch (way.file) {
      case File::installed:
        return;
      case File::link:
        return fs::create_symlink(bin_dir() + "/bridge", place);
      case File::of_the_reference:
        return fs::create_symlink(std::string(kReferenceDir) + "/bridge", place);
      case File::hard_link:
        // Of a file in the same file system: a hard link can't leave it.
        fs::copy_file(executable, std::string(kFolder) + "/original");
        fs::create_hard_link(std::string(kFolder) + "/original", place);
        break;
      case File::copy:
        fs::copy_file(executable, place);
        break;
    }
    fs::copy(stage() + "/lib/unicni/modules", std::string(kFolder) + "/unicni-modules");
  }

  static std::string request(const Way& way, const Spelling& spelling) {
    const auto comma = [](const std::string& text) { return text.empty() ? text : ',' + text; };
    const std::string type = std::string(R"("type":")") + way.type + "\",";
    const std::string rest = std::string(kBridge) + comma(spelling.plugin);
    const std::string member = '{' + type + rest + ',' + kIpam + '}';
    const std::string begin = R"({"cniVersion":"1.0.0","name":"mynet",)";
    const std::string end = comma(spelling.request) + '}';
    switch (way.form) {
      case Form::alone:
      case Form::named_by_type:
        return begin + type + rest + ',' + kIpam + end;
      case Form::list:
        return begin + R"("type":"unicni","plugins":[)" + member + ']' + end;
      case Form::chain:
        write_file("/etc/unicni/chains/mynet.yaml",
                   R"({"cniVersion":"1.0.0","plugins":[)" + member + "]}");
        return begin + R"("type":"unicni","chain":"mynet")" + end;
      case Form::delegate:
        return begin + R"("type":"flannel","dataDir":"/run/flannel-data","delegate":{)" + type +
               rest + '}' + end;
    }
    return {};
  }

  int count_ = 0;
  std::string request_;
};

const std::vector<Spelling> kMtus = {
    {""},
    {R"("mtu":9000)"},
    {R"("MTU":9000)"},
    {R"("mtu":1400,"mtu":9000)"},
    {R"("mtu":9000,"mtu":1400)"},
    {R"("mtu":1400,"Mtu":9000)"},
    {R"("Mtu":9000,"mtu":1400)"},
    {R"("m\u0074u":9000)"},
    {R"("mtu":9e3)"},
    {R"("mtu":9000.0)"},
    {R"("mtu":"9000")"},
    {R"("mtu":1400,"runtimeConfig":{"mtu":9000})"},
    {R"("mtu":1400,"args":{"cni":{"mtu":9000}})"},
    {R"("mtu":1400)", R"("mtu":9000)"},
    {R"("mtu":1400)", R"("runtimeConfig":{"mtu":9000})"},
    {R"("mtu":1400)", R"("args":{"cni":{"mtu":9000}})"},
    {R"("mtu":1400)", "", "IgnoreUnknown=1;MTU=9000"},
};

/// An ADD that asked for 9000 in an own spelling and got it would be one that got past.
TEST_P(Bypass, AnOverrideHolds) {
  for (const char* match : {"{type: bridge}", "{network: mynet}"}) {
    policy(std::string("rules: [{match: ") + match + ", override: {mtu: 1300}}]");
    expect_held(kMtus,
                [&](const Attachment& job, const Output&) { return eth0(job)["mtu"] == 1300; });
  }
}

TEST_P(Bypass, ALimitHolds) {
  policy("rules: [{require: {mtu: {max: 1450}}}]");
  expect_held(kMtus, [&](const Attachment& job, const Output&) {
    return eth0(job)["mtu"].get<int>() <= 1450 || eth0(job)["mtu"] == 1500;
  });
  expect_refused({{R"("mtu":9000)"}, {R"("MTU":9000)"}, {R"("mtu":1400,"Mtu":9000)"}});
}

/// What bridge makes of a missing MTU doesn't keep the limit, so the MTU has to be given where it
/// is read.
TEST_P(Bypass, ALimitOnWhatIsMissingHolds) {
  policy("rules: [{require: {mtu: {max: 1400}}}]");
  expect_held(
      {{""},
       {R"("mtu":1400)"},
       {R"("MTU":1400)"},
       {R"("mtu":null,"MTU":1400)"},
       {R"("MTU":1400,"mtu":null)"},
       {R"("mtu":1400,"mtu":null)"},
       {R"("mtu":null,"mtu":1400)"},
       {R"("mtu":0,"Mtu":1400)"},
       {R"("MTU":1400,"mtu":0)"},
       {R"("args":{"cni":{"mtu":1400}})"},
       {"", R"("args":{"cni":{"mtu":1400}})"},
       {"", R"("runtimeConfig":{"mtu":1400})"},
       {"", "", "IgnoreUnknown=1;mtu=1400"}},
      [&](const Attachment& job, const Output&) { return eth0(job)["mtu"].get<int>() <= 1400; });
}

TEST_P(Bypass, ADefaultIsSet) {
  policy("rules: [{match: {type: bridge}, defaults: {hairpinMode: yes}}]");
  expect_held({{""}, {R"("hairpinMode":null)"}}, [&](const Attachment&, const Output& output) {
    for (const Json& link : tool_json({"bridge", "-j", "-d", "link", "show"})) {
      if (link.value("ifname", "") == host_end(output.json())) return link["hairpin"] == true;
    }
    return false;
  });
}

TEST_P(Bypass, WhatIsDeniedIsDenied) {
  for (const char* text : {"rules: [{match: {type: bridge}, deny: here}]",
                           "rules: [{match: {type: 'brid*', interface: eth0}, deny: here}]",
                           "modules: {deny: [bridge]}", "modules: {deny: ['br*']}",
                           "modules: {allow: [ptp, flannel, host-local]}"}) {
    SCOPED_TRACE(text);
    policy(text);
    Attachment job;
    expect_error(add({""}, job), 120);
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
}

TEST_P(Bypass, ProgramsOfOtherMakersAreTold) {
  for (const auto& [exec, runs] : {std::pair("never", false), std::pair("fallback", true),
                                   std::pair("listed, allow: [ptp, flannel, host-local]", false),
                                   std::pair("listed, allow: ['*']", true)}) {
    SCOPED_TRACE(exec);
    policy(std::string("modules: {exec: ") + exec + '}');
    Attachment job;
    const Output output = add({""}, job);
    const bool is_listed_out = std::string(exec).find("ptp") != std::string::npos;
    if (runs || (!is_foreign() && !is_listed_out)) {
      EXPECT_TRUE(output.ok()) << output.str();
      del(job);
    } else {
      expect_error(output, 120);
    }
  }
}

TEST_P(Bypass, CniArgsAreNoWayRound) {
  policy("rules: [{match: {namespace: forbidden}, deny: here}]");
  expect_refused({{"", "", "K8S_POD_NAMESPACE=forbidden"},
                  {"", "", "IgnoreUnknown=1;K8S_POD_NAMESPACE=forbidden"},
                  {"", "", "IgnoreUnknown=1;K8S_POD_NAMESPACE=a;K8S_POD_NAMESPACE=forbidden"},
                  {"", "", "IgnoreUnknown=1;K8S_POD_NAMESPACE=forbidden;K8S_POD_NAMESPACE=a"},
                  {"", "", "IgnoreUnknown=1;k8s_pod_namespace=forbidden"},
                  {"", "", "IgnoreUnknown=1;K8S_POD_NAMESPACE"},
                  {"", "", "IgnoreUnknown=1;;K8S_POD_NAMESPACE=forbidden"},
                  {"", "", "K8S_POD_NAMESPACE=forbidden;garbage"},
                  {"", "", "garbage"}});
  policy("rules: [{match: {namespace: 'tenant-*', onMissing: deny}, override: {mtu: 1300}}]");
  expect_refused(
      {{""}, {"", "", "IgnoreUnknown=1"}, {"", "", "IgnoreUnknown=1;K8S_POD_NAMESPACE="}});
}

/// The configuration's, which bridge doesn't read, the runtime's, args' and CNI_ARGS'.
TEST_P(Bypass, AMacHasFourSources) {
  const std::vector<Spelling> spellings = {
      {R"("mac":"0a:00:00:00:00:01")"},
      {R"("MAC":"0a:00:00:00:00:01")"},
      {R"("mac":"02:00:00:00:00:01","Mac":"0a:00:00:00:00:01")"},
      {"", R"("runtimeConfig":{"mac":"0a:00:00:00:00:01"})"},
      {"", R"("RuntimeConfig":{"Mac":"0a:00:00:00:00:01"})"},
      {R"("capabilities":{"mac":true})", R"("runtimeConfig":{"mac":"0a:00:00:00:00:01"})"},
      {R"("capabilities":{"mac":true})",
       R"("runtimeConfig":{"mac":"02:00:00:00:00:01","MAC":"0a:00:00:00:00:01"})"},
      {R"("args":{"cni":{"mac":"0a:00:00:00:00:01"}})"},
      {R"("Args":{"CNI":{"Mac":"0a:00:00:00:00:01"}})"},
      {"", R"("args":{"cni":{"mac":"0a:00:00:00:00:01"}})"},
      {"", "", "MAC=0a:00:00:00:00:01"},
      {"", "", "IgnoreUnknown=1;mac=0a:00:00:00:00:01"},
      {"", "", "MAC=02:00:00:00:00:01;MAC=0a:00:00:00:00:01"},
  };
  policy("rules: [{require: {mac: ['02:*', '']}}]");
  expect_held(spellings, [&](const Attachment& job, const Output&) {
    return eth0(job)["address"] != "0a:00:00:00:00:01";
  });
}

INSTANTIATE_TEST_SUITE_P(By, Bypass, ::testing::ValuesIn(kWays),
                         [](const auto& way) { return std::string(way.param.name); });

}  // namespace
}  // namespace unicni::test::policy_bypass_test
