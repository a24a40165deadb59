// An attachment that the executable 0.1 made, on whose host the executable was exchanged: its entry
// in the former folder and form, its elements in the table of that release.
#include <regex>

#include "integration/chained.h"
#include "integration/journal_line.h"

namespace unicni::test::former_release_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kEntry = "/run/unicni/mynet:c1:eth0";
constexpr const char* kLocalnet = "net/ipv4/conf/cni0/route_localnet";

std::string group(const std::string& text, const std::string& pattern) {
  std::smatch found;
  if (!std::regex_search(text, found, std::regex(pattern))) throw std::runtime_error(pattern);
  return found[1];
}

class FormerRelease : public ChainedTest {
 protected:
  /// Links, addresses and reservation are those that this executable makes, which are the same; the
  /// entry and the ruleset are exchanged for what 0.1 left.
  void SetUp() override {
    before_ = snapshot();
    bridge_ = attachment(with_version(mynet(), "1.0.0"));
    result_ = must_add(bridge_);
    Json config = {{"type", "portmap"}};
    config["runtimeConfig"]["portMappings"] = {
        {{"hostPort", 8080}, {"containerPort", 80}, {"protocol", "tcp"}}};
    port_ = after(bridge_, result_, config);
    must_add(port_);
    ASSERT_THAT(reservations("mynet"), ElementsAre("10.22.0.2"));
    ASSERT_EQ(sysctl(kLocalnet), "1");

    const std::string now = std::string(kJournals) + "/mynet:c1:eth0";
    const std::string entry = former_entry(read_file(now));
    tool({"rm", now});
    write_file(kEntry, entry, 0600);
    tool({"nft", "flush", "ruleset"});
    tool({"nft", "-f", std::string(UNICNI_SOURCE_DIR) + "/tests/integration/former_base.nft"});
    ASSERT_THAT(former_owners(), Contains("mynet/c1/eth0"));
  }
  /// What 0.1 wrote for the two plugins, in the namespaces that `now` names.
  [[nodiscard]] std::string former_entry(const std::string& now) const {
    const std::string veth = host_end(result_);
    const std::string inside = " container_netns=" + group(now, "container_netns=([^ ]+)") +
                               " netns=" + group(now, " netns=([^ ]+)");
    const std::string done = "done result=" + result_.dump();
    const std::string own = " .key_end= .owner=mynet/c1/eth0";
    const std::string subnet =
        "undo type=nft-network version=1 .set=net4 .key=%0A%16%00%00%0A%16%00%00 "
        ".key_end=%0A%16%FF%FF%0A%16%FF%FF .owner=mynet";
    std::string text;
    for (const std::string& record : {
             "unicni-journal version=1 network=mynet container=c1 if_name=eth0 boot=" +
                 group(now, "boot=([^ ]+)") + " host_netns=" + group(now, "host_netns=([^ ]+)"),
             "step type=bridge config=" + bridge_.config.dump() + inside,
             std::string("undo type=reservation version=1 .data_dir=/var/lib/cni/networks "
                         ".network=mynet .address=10.22.0.2 .content=c1%0D%0Aeth0 .rests="),
             std::string("undo type=bridge version=1 on_failure_only=1 .name=cni0"),
             "undo type=veth version=1 .name=" + veth + " .alias=mynet/c1/eth0",
             "undo type=nft version=1 .set=masq4 .key=%0A%16%00%02" + own,
             subnet,
             std::string("undo type=shared-address version=1 on_failure_only=1 .link=cni0 "
                         ".address=10.22.0.1/16"),
             done,
             "step type=portmap config=" + port_.config.dump() + inside,
             std::string("undo type=forward-gate version=1 .admin_chain=CNI-ADMIN"),
             std::string("undo type=localnet version=1"),
             "undo type=nft version=1 .set=port4_any .key=%06%00%00%00%1F%90%00%00" + own +
                 " .data=%0A%16%00%02%00P%00%00",
             "undo type=nft version=1 .set=claim4 .key=%06%00%00%00%1F%90%00%00" + own +
                 " .data=%00%00%00%00",
             "undo type=nft version=1 .set=pub4 .key=%0A%16%00%02%06%00%00%00%00P%00%00" + own,
             subnet,
             std::string("undo type=nft-network version=1 .set=localnet_if "
                         ".key=cni0%00%00%00%00%00%00%00%00%00%00%00%00 .key_end= .owner=mynet"),
             "undo type=port-flag version=1 .link=" + veth + " .alias=mynet/c1/eth0 .flag=hairpin",
             done,
         }) {
      text += journal_line(record);
    }
    return text;
  }
  /// Comments of elements of all sets that there are, also of those that this release lacks.
  static std::vector<std::string> former_owners() {
    const std::string listed = tool({"nft", "list", "table", "inet", "unicni"}).out;
    const std::regex comment("comment \"([^\" ]+/[^\" ]+)\"");
    std::vector<std::string> found;
    for (std::sregex_iterator each(listed.begin(), listed.end(), comment), end; each != end; ++each)
      found.push_back((*each)[1]);
    return found;
  }
  /// DEL as a runtime sends it that has lost its cache and the namespace.
  void del_without_anything() {
    Attachment port = port_;
    Attachment bridge = bridge_;
    port.netns = bridge.netns = "";
    port.config.erase("prevResult");
    expect_silent_success(port.del());
    expect_silent_success(bridge.del());
  }
  void expect_nothing_of_c1() {
    EXPECT_FALSE(exists(kEntry));
    EXPECT_THAT(former_owners(), Not(Contains(HasSubstr("mynet/c1"))));
    EXPECT_THAT(tool({"nft", "list", "ruleset"}).out,
                AllOf(Not(HasSubstr("10.22.0.2")), Not(HasSubstr("8080"))));
    EXPECT_THAT(reservations("mynet"), Not(Contains("10.22.0.2")));
    EXPECT_FALSE(find_link(host_end(result_)));
    EXPECT_FALSE(find_link("eth0", netns(bridge_)));
  }
  Snapshot before_;
  Attachment bridge_;
  Attachment port_;
  Json result_;
};

TEST_F(FormerRelease, DelTakesItsElementsOutOfTheFormerTable) {
  del_without_anything();
  expect_nothing_of_c1();
  EXPECT_EQ(sysctl(kLocalnet), "0");
  EXPECT_EQ(left_on_host(before_), "");
}

TEST_F(FormerRelease, GcTakesItsElementsOutOfTheFormerTable) {
  Attachment collector = bridge_;
  collector.container_id = collector.netns = collector.if_name = "";
  collector.config["cniVersion"] = "1.1.0";
  expect_silent_success(collector.gc(Json::array()));
  expect_nothing_of_c1();
  EXPECT_EQ(sysctl(kLocalnet), "0");
  EXPECT_EQ(left_on_host(before_), "");
}

TEST_F(FormerRelease, DelTakesAwayWhatAnAddMadeOfItsElements) {
  const Attachment later = attachment(with_version(mynet(), "1.0.0"), "c2");
  const Json later_result = must_add(later);
  ASSERT_THAT(tool({"nft", "list", "table", "inet", "unicni"}).out, HasSubstr("unicni base 2"));
  EXPECT_THAT(masqueraded(4), ElementsAre("10.22.0.2 mynet/c1/eth0", "10.22.0.3 mynet/c2/eth0"));
  EXPECT_THAT(nft_elements("port4_any"), Contains(HasSubstr("mynet/c1/eth0")));
  expect_silent_success(bridge_.check(result_));
  expect_silent_success(port_.check(result_));

  del_without_anything();
  expect_nothing_of_c1();
  EXPECT_THAT(masqueraded(4), ElementsAre("10.22.0.3 mynet/c2/eth0"));
  expect_silent_success(later.check(later_result));
  expect_silent_success(later.del(later_result));
  EXPECT_THAT(former_owners(), IsEmpty());
  EXPECT_EQ(left_on_host(before_), "");
}

}  // namespace
}  // namespace unicni::test::former_release_test
