// cnitool gc.
#include "cnitool.h"
#include "support/kernel_state.h"

namespace unicni::test::cnitool_gc_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// Two containers on the network, and one on another.
class CnitoolGc : public CnitoolTest {
 protected:
  CnitoolGc() {
    put("10-mynet.conflist", list());
    Json other = list();
    other["name"] = "other";
    other["plugins"][0]["ipam"]["subnet"] = "10.8.0.0/24";
    put("20-other.conflist", other);
    for (const char* id : {"one", "two"}) add("mynet", id, id);
    add("other", "one", "one", "eth1");
  }
  void add(const std::string& network, const std::string& id, const std::string& netns,
           const std::string& if_name = "eth0") {
    const Output output =
        cnitool({"add", "--container-id", id, "-i", if_name, network, "/run/netns/" + netns});
    ASSERT_EQ(output.status, 0) << output.str();
  }
  static constexpr const char* kOfOther = "other-one-eth1";

  Container one_{"one"};
  Container two_{"two"};
};

TEST_F(CnitoolGc, WithoutAnAnswerDeletesNothingAndListsWhatItWould) {
  two_.remove();
  const Output output = cnitool({"gc", "--json", "mynet", "x"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("nothing was deleted"));
  EXPECT_EQ(output.json().at("stale"), Json({{{"container_id", "one"},
                                              {"ifname", "eth0"},
                                              {"netns", "/run/netns/one"},
                                              {"netns_exists", true}},
                                             {{"container_id", "two"},
                                              {"ifname", "eth0"},
                                              {"netns", "/run/netns/two"},
                                              {"netns_exists", false}}}));
  EXPECT_EQ(results().size(), 3U);
  EXPECT_THAT(reservations("mynet"), ElementsAre("10.7.0.2", "10.7.0.3"));
  EXPECT_THAT(link_names(one_.fd()), ElementsAre("eth0", "eth1"));
}

TEST_F(CnitoolGc, SaysInJsonWhatItDeleted) {
  const Output output = cnitool({"gc", "--yes", "--json", "mynet", "x"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(output.json().at("stale").size(), 2U);
  EXPECT_THAT(results(), ElementsAre(kOfOther));
}

TEST_F(CnitoolGc, KeepsWhatItIsToldToKeep) {
  const Output output = cnitool({"gc", "mynet", "x", "--keep", "one:eth0"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(output.out + output.err, "");
  EXPECT_THAT(results(), UnorderedElementsAre("mynet-one-eth0", kOfOther));
  EXPECT_THAT(reservations("mynet"), ElementsAre("10.7.0.2"));
  EXPECT_THAT(link_names(two_.fd()), IsEmpty());
  EXPECT_EQ(cnitool({"check", "--container-id", "one", "mynet", one_.path()}).status, 0);
}

TEST_F(CnitoolGc, KeepsSeveral) {
  EXPECT_EQ(cnitool({"gc", "mynet", "x", "--keep", "one:eth0", "--keep", "two:eth0"}).status, 0);
  EXPECT_THAT(results(), UnorderedElementsAre("mynet-one-eth0", "mynet-two-eth0", kOfOther));
}

TEST_F(CnitoolGc, KeepsOnlyThatInterface) {
  EXPECT_EQ(cnitool({"gc", "mynet", "x", "--yes", "--keep", "one:eth7"}).status, 0);
  EXPECT_THAT(results(), ElementsAre(kOfOther));
}

TEST_F(CnitoolGc, DeletesNothingIfWhatItIsToKeepIsNotThere) {
  const Snapshot before = snapshot();
  for (const auto& more : {std::vector<std::string>{}, {"--keep", "two:eth0"}, {"--dry-run"}}) {
    std::vector<std::string> arguments{"gc", "mynet", "x", "--keep", "onee:eth0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Output output = cnitool(arguments);
    EXPECT_EQ(output.status, 1) << output.str();
    EXPECT_THAT(output.err, HasSubstr("mynet has no attachment onee:eth0 to keep"));
    EXPECT_THAT(output.err, HasSubstr("did you mean one:eth0?"));
  }
  EXPECT_EQ(difference(before, snapshot()), "");
  // That of another network is none of this one's.
  EXPECT_EQ(cnitool({"gc", "mynet", "x", "--keep", "one:eth1"}).status, 1);
}

/// A runtime of another maker may have no cache.
TEST_F(CnitoolGc, KeepsWhatOnlyTheJournalKnows) {
  tool({"rm", "/var/lib/cni/results/mynet-one-eth0"});
  EXPECT_EQ(cnitool({"gc", "mynet", "x", "--keep", "one:eth0"}).status, 0);
  EXPECT_THAT(link_names(one_.fd()), ElementsAre("eth0", "eth1"));
  EXPECT_THAT(link_names(two_.fd()), IsEmpty());
}

/// The plugins find it in the journal all the same.
TEST_F(CnitoolGc, ListsAndKeepsAnAttachmentWhoseCacheEntryIsBrokenOrLost) {
  const std::string entry = "/var/lib/cni/results/mynet-one-eth0";
  const auto spoil = [&](const char* text) {
    std::filesystem::remove(entry);
    if (text != nullptr) write_file(entry, text);
  };
  for (const char* text : {"", "{x", static_cast<const char*>(nullptr)}) {
    spoil(text);
    const Output output =
        cnitool({"gc", "--dry-run", "--json", "mynet", "x", "--keep", "two:eth0"});
    EXPECT_EQ(output.status, 0) << output.str();
    EXPECT_EQ(output.json().at("stale"), Json({{{"container_id", "one"},
                                                {"ifname", "eth0"},
                                                {"netns", "/run/netns/one"},
                                                {"netns_exists", true}}}));
    EXPECT_EQ(output.err.find("the broken cache entry mynet-one-eth0 would be removed") !=
                  std::string::npos,
              text != nullptr)
        << output.err;
  }
  spoil("");
  EXPECT_EQ(cnitool({"gc", "mynet", "x", "--keep", "one:eth0", "--keep", "two:eth0"}).status, 0);
  EXPECT_THAT(link_names(one_.fd()), ElementsAre("eth0", "eth1"));
  spoil("");
  EXPECT_EQ(cnitool({"gc", "mynet", "x", "--keep", "two:eth0"}).status, 0);
  EXPECT_THAT(link_names(one_.fd()), ElementsAre("eth1"));
  EXPECT_THAT(link_names(two_.fd()), ElementsAre("eth0"));
}

/// Before 1.1.0 plugins have no GC, so what only the journal knows stays.
TEST_F(CnitoolGc, DoesNotListWhatNoPluginIsAskedToDelete) {
  Json config = list();
  config["cniVersion"] = "1.0.0";
  put("10-mynet.conflist", config);
  std::filesystem::remove("/var/lib/cni/results/mynet-one-eth0");
  const Output output = cnitool({"gc", "--json", "mynet", "x"});
  ASSERT_EQ(output.json().at("stale").size(), 1U) << output.str();
  EXPECT_EQ(output.json().at("stale").at(0).at("container_id"), "two");
  EXPECT_EQ(cnitool({"gc", "--yes", "mynet", "x"}).status, 0);
  EXPECT_THAT(link_names(one_.fd()), ElementsAre("eth0", "eth1"));
  EXPECT_THAT(link_names(two_.fd()), IsEmpty());
}

TEST_F(CnitoolGc, DeletesAllOfTheNetworkIfItIsSure) {
  const Output output = cnitool({"gc", "--yes", "mynet", "x"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_THAT(results(), ElementsAre(kOfOther));
  EXPECT_THAT(reservations("mynet"), IsEmpty());
  EXPECT_THAT(reservations("other"), ElementsAre("10.8.0.2"));
  EXPECT_EQ(cnitool({"check", "--container-id", "one", "-i", "eth1", "other", one_.path()}).status,
            0);
}

TEST_F(CnitoolGc, ADryRunListsWhatIsNotKept) {
  const Snapshot before = snapshot();
  const Output output = cnitool({"gc", "--dry-run", "--json", "mynet", "x", "--keep", "one:eth0"});
  EXPECT_EQ(output.status, 0) << output.str();
  ASSERT_EQ(output.json().at("stale").size(), 1U);
  EXPECT_EQ(output.json().at("stale").at(0).at("container_id"), "two");
  EXPECT_EQ(cnitool({"gc", "--dry-run", "--yes", "mynet", "x"}).status, 0);
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(CnitoolGc, RefusesToKeepWhatIsNoAttachment) {
  for (const char* text : {"one", ":eth0", "one:", "", "one:eth0:", "one:eth0 ", "mynet:one:eth0",
                           "one:eth0,two:eth0", "-:eth0", "one:..", " one:eth0"}) {
    const Output output = cnitool({"gc", "--yes", "mynet", "x", "--keep", text});
    EXPECT_EQ(output.status, 1) << text;
    EXPECT_THAT(output.err, HasSubstr("--keep is no ID:IFNAME")) << text;
  }
  EXPECT_EQ(results().size(), 3U);
}

TEST_F(CnitoolGc, DoesNothingIfTheNetworkForbidsIt) {
  Json config = list();
  config["disableGC"] = true;
  put("10-mynet.conflist", config);
  const Output output = cnitool({"gc", "--yes", "mynet", "x"});
  EXPECT_EQ(output.status, 0);
  EXPECT_THAT(output.err, HasSubstr("disableGC"));
  EXPECT_EQ(results().size(), 3U);
}

}  // namespace
}  // namespace unicni::test::cnitool_gc_test
