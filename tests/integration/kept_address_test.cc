// DEL of an interface that isn't any more what ADD's result says: it goes, or its address stays
// reserved.
#include "integration/chained.h"
#include "integration/uplink.h"

namespace unicni::test::kept_address_test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class KeptAddress : public ChainedTest {
 protected:
  static Json of_kind(const std::string& kind, const Json& ipam) {
    Json config = {{"cniVersion", "1.0.0"}, {"name", "net"}, {"type", kind}};
    if (kind == "macvlan") config["master"] = "up0";
    if (kind == "bridge") config["bridge"] = "br9";
    if (!ipam.is_null()) config["ipam"] = ipam;
    return config;
  }
  static Json host_local() { return {{"type", "host-local"}, {"subnet", "10.1.2.0/24"}}; }
  static void lose_journals() { tool({"rm", "-rf", "/run/unicni"}); }
  static Attachment by_reference(Attachment job) {
    job.folder = job.cni_path = kReferenceDir;
    return job;
  }
  static std::vector<std::string> reserved() {
    return exists("/var/lib/cni/networks/net") ? reservations("net") : std::vector<std::string>();
  }
  Uplink uplink_;
};

// Each plugin is a process, as most runtimes have it: tuning's DEL comes first, and puts the MAC
// back that prevResult doesn't have.
TEST_F(KeptAddress, TheInterfaceGoesWhereTuningHasPutItsFirstMacBack) {
  const Json fixed =
      Json::parse(R"({"type": "static", "addresses": [{"address": "10.1.2.9/24"}]})");
  const Json tuning = {{"type", "tuning"}, {"mac", "c2:11:22:33:44:55"}};
  int number = 0;
  for (const std::string kind : {"macvlan", "bridge", "tap"}) {
    for (const Json& ipam : {Json(), fixed, host_local()}) {
      for (const bool reference : {true, false}) {
        if (reference && !exists(std::string(kReferenceDir) + '/' + kind)) continue;
        SCOPED_TRACE(kind + ipam.dump() + (reference ? " of the reference" : ", journal lost"));
        const Attachment job = attachment(of_kind(kind, ipam), "c" + std::to_string(++number));
        const auto maker = [&](const Attachment& a) { return reference ? by_reference(a) : a; };
        const Json first = must_add(maker(job));
        const Attachment tuned = after(job, first, tuning);
        const Json result = must_add(maker(tuned));
        ASSERT_EQ(container_interface(result)["mac"], "c2:11:22:33:44:55");
        lose_journals();
        expect_silent_success(tuned.del(result));
        expect_silent_success(job.del(result));
        EXPECT_THAT(link_names(netns(job)), IsEmpty());
        EXPECT_THAT(reserved(), IsEmpty());
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(KeptAddress, TheInterfaceGoesWhoseMacTheContainerChanged) {
  const Attachment job = attachment(of_kind("macvlan", host_local()));
  const Json result = must_add(job);
  container_of(job).run({"ip", "link", "set", "eth0", "address", "c2:11:22:33:44:66"});
  lose_journals();
  expect_silent_success(job.del(result));
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  EXPECT_THAT(reserved(), IsEmpty());
}

TEST_F(KeptAddress, TheInterfaceGoesThatTheContainerRenamed) {
  for (const bool journal : {true, false}) {
    SCOPED_TRACE(journal);
    const Attachment job = attachment(of_kind("macvlan", host_local()), journal ? "c1" : "c2");
    const Json result = must_add(job);
    container_of(job).run({"ip", "link", "set", "eth0", "name", "other"});
    if (!journal) lose_journals();
    expect_silent_success(job.del(result));
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
    EXPECT_THAT(reserved(), IsEmpty());
  }
}

TEST_F(KeptAddress, StaysReservedWhileAnyLinkOfTheContainerHasIt) {
  for (const bool journal : {true, false}) {
    SCOPED_TRACE(journal);
    const Attachment job = attachment(of_kind("macvlan", host_local()), journal ? "c1" : "c2");
    const Json result = must_add(job);
    const std::string address = result["ips"][0]["address"];
    const Container& inside = container_of(job);
    inside.run({"ip", "link", "del", "eth0"});
    inside.run({"ip", "link", "add", "own0", "type", "bridge"});
    inside.run({"ip", "addr", "add", address, "dev", "own0"});
    if (!journal) lose_journals();
    const Output del = job.del(result);
    EXPECT_TRUE(del.ok()) << del.str();
    EXPECT_THAT(del.err, HasSubstr("own0"));
    EXPECT_THAT(del.err, HasSubstr("stays reserved"));
    EXPECT_THAT(link_names(netns(job)), Contains("own0"));
    EXPECT_THAT(reserved(), Not(IsEmpty()));
    inside.run({"ip", "link", "del", "own0"});
    expect_silent_success(job.del(result));
    EXPECT_THAT(reserved(), IsEmpty());
  }
}

}  // namespace
}  // namespace unicni::test::kept_address_test
