// The library beside Debian's libcni, which runtimes in Go are built on: what one attaches the
// other one knows, checks and detaches. And plugins of both makers in one list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/sandbox.h"
#include "unicni/runtime.h"

namespace unicni::test::libcni_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

constexpr const char* kResults = "/var/lib/cni/results";
constexpr const char* kPorts =
    R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})";

/// The folders' first plugin of a name counts.
RuntimeOptions options(std::vector<std::string> plugin_folders, Isolation isolation) {
  RuntimeOptions options;
  options.plugin_folders = std::move(plugin_folders);
  options.executable = bin_dir() + "/unicni";
  options.isolation = isolation;
  return options;
}

/// A member with a capability, so that the cache has all that it can have.
constexpr const char* kList = R"({"cniVersion": "1.0.0", "name": "mynet", "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
     "ipam": {"type": "host-local", "subnet": "10.22.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]})";

/// Plugins of both makers, and none that wants more than one of the other gives: the reference's
/// CHECK of portmap needs rules of IPv6 as well.
constexpr const char* kMixedList = R"({"cniVersion": "1.0.0", "name": "mynet", "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
     "ipam": {"type": "host-local", "subnet": "10.22.0.0/16"}},
    {"type": "tuning", "sysctl": {"net.core.somaxconn": "517"}},
    {"type": "firewall"}]})";

/// kList as one member, which the executable runs as a list of its own.
constexpr const char* kWrapped = R"({"cniVersion": "1.0.0", "name": "mynet", "plugins": [
    {"type": "unicni", "capabilities": {"portMappings": true}, "plugins": [
      {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
       "ipam": {"type": "host-local", "subnet": "10.22.0.0/16"}},
      {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]}]})";

/// As a value, as keys come in any order.
using Value = nlohmann::json;
Value value(const std::string& text) { return Value::parse(text, nullptr, false); }
/// libcni writes an empty "dns" where there is none.
Value without_empty_dns(Value result) {
  if (result.contains("dns") && result["dns"].empty()) result.erase("dns");
  return result;
}

class BesideLibcni : public ::testing::TestWithParam<Isolation> {
 protected:
  void SetUp() override {
    if (!fs::exists(LIBCNI_CLIENT))
      GTEST_SKIP() << "no Go, or no libcni for it: sudo tools/setup --full";
    write_file(kFile, kList);
  }
  void use(const char* list) {
    write_file(kFile, list);
    network_ = Runtime::parse_network(list);
  }

  Output go(const std::string& verb, const std::string& folders = bin_dir()) const {
    return test::run({.argv = {LIBCNI_CLIENT, verb, kFile, "c1", container_.path(), "eth0", kPorts},
                      .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CNI_PATH=" + folders}});
  }
  Value must_go(const std::string& verb, const std::string& folders = bin_dir()) const {
    const Output output = go(verb, folders);
    EXPECT_TRUE(output.ok()) << verb << output.str();
    return without_empty_dns(value(output.out));
  }
  [[nodiscard]] RuntimeConf conf() const { return {"c1", container_.path(), "eth0", {}, kPorts}; }

  void expect_nothing_left() const {
    EXPECT_THAT(files_in(kResults), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_FALSE(container_.succeeds({"ip", "link", "show", "eth0"}));
  }

  static constexpr const char* kFile = "/run/10-mynet.conflist";

  Sandbox sandbox_;
  Container container_{"c1"};
  NetworkConfig network_ = Runtime::parse_network(kList);
};

TEST_P(BesideLibcni, WhatLibcniAttachedIsKnownCheckedAndDetached) {
  const Value attached = must_go("add");
  const Runtime runtime(options({bin_dir()}, GetParam()));
  const auto known = runtime.attachments();
  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known[0].key, (AttachmentKey{"mynet", "c1", "eth0"}));
  EXPECT_EQ(known[0].netns, "") << "libcni 1.1.2 doesn't write it down";
  EXPECT_EQ(value(known[0].config), value(kList));
  EXPECT_EQ(value(known[0].capability_args), value(kPorts));
  const auto result = runtime.find_result(network_, conf());
  ASSERT_TRUE(result);
  EXPECT_EQ(value(result->text), attached);
  runtime.check(network_, conf());
  runtime.del(network_, conf());
  expect_nothing_left();
  EXPECT_EQ(must_go("cached"), Value());
}

TEST_P(BesideLibcni, WhatTheLibraryAttachedLibcniKnowsChecksAndDetaches) {
  const Runtime runtime(options({bin_dir()}, GetParam()));
  const AttachResult attached = runtime.add(network_, conf());
  EXPECT_EQ(must_go("cached"), value(attached.text));
  must_go("check");
  must_go("del");
  expect_nothing_left();
  EXPECT_THAT(runtime.attachments(), IsEmpty());
}

TEST_P(BesideLibcni, AttachmentsOfAListInOneMemberAreExchangedBothWays) {
  use(kWrapped);
  const Runtime runtime(options({bin_dir()}, GetParam()));
  const Value attached = must_go("add");
  const auto result = runtime.find_result(network_, conf());
  ASSERT_TRUE(result);
  EXPECT_EQ(value(result->text), attached);
  EXPECT_EQ(value(runtime.attachments().at(0).config), value(kWrapped));
  runtime.check(network_, conf());
  runtime.del(network_, conf());
  expect_nothing_left();
  EXPECT_EQ(must_go("cached"), Value());

  const AttachResult again = runtime.add(network_, conf());
  EXPECT_THAT(nft_elements("port4_any"), SizeIs(1)) << "the member got the capability";
  EXPECT_EQ(must_go("cached"), value(again.text));
  must_go("check");
  must_go("del");
  expect_nothing_left();
  EXPECT_THAT(runtime.attachments(), IsEmpty());
}

TEST_P(BesideLibcni, BothWriteTheSameEntryButForItsNamespace) {
  must_go("add");
  const std::string file = std::string(kResults) + "/mynet-c1-eth0";
  Value by_libcni = value(read_file(file));
  must_go("del");
  const Runtime runtime(options({bin_dir()}, GetParam()));
  runtime.add(network_, conf());
  Value by_library = value(read_file(file));
  // Made anew by each ADD.
  for (Value* entry : {&by_libcni, &by_library}) {
    for (auto& interface : (*entry)["result"]["interfaces"]) interface.erase("mac");
    (*entry)["result"].erase("ips");
    (*entry)["result"] = without_empty_dns((*entry)["result"]);
    for (auto& interface : (*entry)["result"]["interfaces"]) {
      if (interface["name"].get<std::string>().starts_with("veth")) interface["name"] = "veth";
    }
  }
  EXPECT_EQ(by_library["netns"], container_.path());
  by_library.erase("netns");  // since libcni 1.2
  EXPECT_EQ(by_library, by_libcni);
  runtime.del(network_, conf());
}

/// A folder with links to the executable for `types`.
std::string folder_of_ours(const std::vector<std::string>& types) {
  const std::string folder = "/run/ours";
  fs::remove_all(folder);
  fs::create_directory(folder);
  for (const auto& type : types) fs::create_symlink(bin_dir() + "/unicni", folder + '/' + type);
  return folder;
}

class BothMakers : public BesideLibcni {
 protected:
  /// One life of the list where these types are ours, and all others Debian's.
  void expect_works(const std::vector<std::string>& ours) {
    const Runtime runtime(options({folder_of_ours(ours), kReferenceDir}, GetParam()));
    const AttachResult attached = runtime.add(mixed_, conf());
    ASSERT_EQ(attached.result.ips.size(), 1U) << attached.text;
    EXPECT_EQ(attached.result.ips[0].address.str(), "10.22.0." + std::to_string(++last_) + "/16");
    EXPECT_EQ(reservations("mynet").size(), 1U);
    EXPECT_EQ(container_.run({"cat", "/proc/sys/net/core/somaxconn"}).out, "517\n");
    runtime.check(mixed_, conf());
    runtime.del(mixed_, conf());
    expect_nothing_left();
  }

  const NetworkConfig mixed_ = Runtime::parse_network(kMixedList);
  int last_ = 1;
};

TEST_P(BothMakers, DebiansPluginsAreMembersOfTheLibrarysLists) { expect_works({}); }

TEST_P(BothMakers, MembersOfBothInOneList) {
  for (const char* type : {"bridge", "tuning", "firewall"}) {
    SCOPED_TRACE(std::string("ours: ") + type);
    expect_works({type});
  }
}

TEST_P(BothMakers, OurIpamIsADelegateOfTheirBridge) { expect_works({"host-local"}); }

TEST_P(BothMakers, TheirIpamIsADelegateOfOurBridge) {
  expect_works({"bridge", "tuning", "firewall"});
}

TEST_P(BothMakers, AFailingMemberOfTheirsRollsOursBack) {
  const Runtime runtime(options({folder_of_ours({"bridge"}), kReferenceDir}, GetParam()));
  std::string text = kMixedList;
  text.replace(text.find("net.core.somaxconn"), 18, "net.core.nothing_");
  try {
    runtime.add(Runtime::parse_network(text), conf());
    FAIL() << "ADD worked";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg() + error.details(), HasSubstr("net/core/nothing_"));
  }
  expect_nothing_left();
}

std::string name_of(const ::testing::TestParamInfo<Isolation>& param) {
  return param.param == Isolation::process ? "Processes" : "InProcess";
}
INSTANTIATE_TEST_SUITE_P(By, BesideLibcni,
                         ::testing::Values(Isolation::process, Isolation::in_process), name_of);
INSTANTIATE_TEST_SUITE_P(By, BothMakers,
                         ::testing::Values(Isolation::process, Isolation::in_process), name_of);

}  // namespace
}  // namespace unicni::test::libcni_test
