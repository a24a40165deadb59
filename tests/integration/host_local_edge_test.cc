// host-local at its edges: answers that nobody takes, names that are no text, subnets of two
// addresses, lists of 32 MiB.
#include <filesystem>

#include "integration/host_local.h"

namespace unicni::test::host_local_edge_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HostLocalEdge : public HostLocalHost {
 protected:
  /// ADD or GC whose program runs as $0 of a shell's `script`.
  static Output in_shell(const Attachment& job, const std::string& command, const Json& request,
                         const std::string& script) {
    const Spawn spawn = job.spawn(command, request);
    return run({.argv = {"bash", "-c", script, spawn.argv[0]},
                .env = spawn.env,
                .in = spawn.in,
                .program = "/bin/bash"});
  }
};

TEST_F(HostLocalEdge, AnswerThatNobodyTakesLeavesNoReservation) {
  Attachment two = job("c1");
  two.config["ipam"].erase("subnet");
  two.config["ipam"]["ranges"] =
      Json::parse(R"([[{"subnet": "10.22.0.0/24"}], [{"subnet": "fd00::/64"}]])");
  expect_silent_success(job("c1").del());
  must_give(job("c1", "10.22.9.0/24"));  // an older one of the same attachment stays
  const auto before = reservations("mynet");
  for (const char* script :
       {"exec \"$0\" > /dev/full", "set -o pipefail; (sleep 0.3; exec \"$0\") | true"}) {
    SCOPED_TRACE(script);
    const Output output = in_shell(two, "ADD", two.config, script);
    EXPECT_GT(output.status, 0) << output.str();
    EXPECT_EQ(reservations("mynet"), before);
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
  expect_silent_success(job("c1").del());
  EXPECT_THAT(reservations("mynet"), IsEmpty());
}

/// Interface names that are no ASCII, or no text at all.
class UnusualName : public HostLocalHost, public ::testing::WithParamInterface<const char*> {
 protected:
  /// The name as encoding/json writes it: U+FFFD for a byte that is no UTF-8.
  static std::string told(std::string name) {
    const std::string latin = "\xE4";
    if (const auto at = name.find(latin); at != std::string::npos)
      name.replace(at, 1, "\xEF\xBF\xBD");
    return name;
  }
  /// Not by JSON, which such names are not in.
  bool is_there(const Attachment& job) {
    return succeeds({"ip", "link", "show", "dev", job.if_name}, netns(job));
  }
};

TEST_P(UnusualName, AddressIsHeldFromAddToDel) {
  Attachment first = attachment(mynet());
  first.config["cniVersion"] = "1.1.0";
  first.if_name = GetParam();
  Attachment second = first;
  second.if_name = "eth1";  // the same container on the same network
  must_add(first);
  must_add(second);
  const std::string address = "10.22.0.2";
  const std::string content = "c1\r\n" + first.if_name;
  EXPECT_EQ(owner_of(address), content);

  if (first.if_name.find('\xE4') == std::string::npos) {
    EXPECT_FALSE(tool_json({"ip", "-j", "-d", "link", "show"}).empty()) << "others read it as JSON";
  }

  std::filesystem::remove(std::string(kNetworkFolder) + ".unicni-index");
  Attachment other = job("other", "10.22.0.0/16");
  other.env["CNI_ARGS"] = "IP=" + address;
  EXPECT_THAT(expect_error(other.add())["msg"].get<std::string>(), HasSubstr("not available"));

  const Json living = {{{"containerID", "c1"}, {"ifname", told(first.if_name)}}};
  expect_silent_success(first.gc(living));
  EXPECT_EQ(owner_of(address), content);
  EXPECT_EQ(reservations("mynet").size(), 1U) << "the other one was not in the list";
  EXPECT_TRUE(is_there(first));
  EXPECT_EQ(masqueraded(4).size(), 1U);

  expect_silent_success(first.del());
  EXPECT_THAT(reservations("mynet"), IsEmpty());
  EXPECT_FALSE(is_there(first));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, UnusualName,
                         ::testing::Values("äth0", "接口", "\xE4th0", "\x01\x7F", "a\"\\$*b"));

TEST_F(HostLocalEdge, NamesThatTheKernelRefusesAreRefusedByAdd) {
  Attachment job = attachment(mynet());
  for (const char* name : {"eth%d", "à", "\xA0"}) {
    job.if_name = name;
    expect_error(job.add(), 4);
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    expect_silent_success(job.del());
  }
}

TEST_F(HostLocalEdge, PairOfAddressesReachesItsGateway) {  // RFC 3021, RFC 6164
  Attachment job = attachment(mynet());
  for (const char* subnet : {"10.23.0.0/31", "fd00:23::/127"}) {
    SCOPED_TRACE(subnet);
    job.config["name"] = "pair";
    job.config["ipMasq"] = false;
    job.config["cniVersion"] = "1.1.0";
    job.config["bridge"] = "pair0";
    job.config["ipam"] = {{"type", "host-local"}, {"subnet", subnet}};
    const Json result = must_add(job);
    const std::string gateway = result["ips"][0]["gateway"];
    EXPECT_TRUE(succeeds({"ping", "-c1", "-W2", gateway}, netns(job))) << gateway;
    std::string address = result["ips"][0]["address"];
    address.erase(address.find('/'));
    EXPECT_TRUE(succeeds({"ping", "-c1", "-W2", address})) << address;
    Attachment next = job;
    next.container_id = "c2";
    next.if_name = "eth1";
    EXPECT_THAT(expect_error(next.add())["msg"].get<std::string>(), HasSubstr("1 of 1 used"));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    tool({"ip", "link", "del", "pair0"});
  }
}

/// So many MiB under the two keys that libcni sends.
Json large_list(const std::string& living, std::size_t size) {
  constexpr std::size_t kEntry = 2 * sizeof(R"({"containerID":"","ifname":"eth0"},)") + 2 * 64;
  Json list = Json::array({{{"containerID", living}, {"ifname", "eth0"}}});
  const std::size_t count = ((size << 20U) - 4096) / kEntry;
  for (std::size_t i = 0; i < count; ++i) {
    std::string id = std::to_string(i * 2654435761U);
    list.push_back({{"containerID", id + std::string(64 - id.size(), 'f')}, {"ifname", "eth0"}});
  }
  return list;
}

/// Address space, which holds programs and libraries as well; sanitizers map terabytes.
std::string in_little_memory() {
  const bool sanitized = std::string(UNICNI_LIBSTDCXX) != "host";
  return std::string(sanitized ? "" : "ulimit -v 131072 && ") + "exec \"$0\"";
}

TEST_F(HostLocalEdge, GcOfALargeListNeedsLittleMemory) {
  must_give(job("living"));
  must_give(job("dead"));
  const Json list = large_list("living", 32);
  Json config = job("").config;
  config["cni.dev/valid-attachments"] = list;
  config["cni.dev/attachments"] = list;
  EXPECT_GT(config.dump().size(), 32'000'000U);
  const Output output = in_shell(job(""), "GC", config, in_little_memory());
  expect_silent_success(output);
  EXPECT_EQ(reservations("mynet").size(), 1U);
  EXPECT_EQ(owner_of("10.22.0.2"), "living\r\neth0");
  RecordProperty("milliseconds", static_cast<int>(output.ms));
}

TEST_F(HostLocalEdge, GcOfALargeListByAListOfPluginsNeedsNoMore) {
  const Attachment living = attachment(Json::parse(R"({
    "cniVersion": "1.1.0", "name": "mynet", "type": "unicni", "plugins": [
      {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
       "ipam": {"type": "host-local", "subnet": "10.22.0.0/24"}},
      {"type": "firewall"}, {"type": "tuning"}, {"type": "bandwidth"}]})"));
  must_add(living);
  Attachment dead = living;
  dead.if_name = "eth1";
  must_add(dead);
  const Json list = large_list(living.container_id, 16);
  Json config = living.config;
  config["cni.dev/valid-attachments"] = list;
  config["cni.dev/attachments"] = list;
  const Output output = in_shell(living, "GC", config, in_little_memory());
  expect_silent_success(output);
  EXPECT_EQ(reservations("mynet").size(), 1U);
  EXPECT_EQ(masqueraded(4).size(), 1U);
  EXPECT_TRUE(find_link("eth0", netns(living)).has_value());
  RecordProperty("milliseconds", static_cast<int>(output.ms));
  expect_silent_success(living.del());
}

}  // namespace
}  // namespace unicni::test::host_local_edge_test
