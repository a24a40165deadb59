#include "undo/remembered_rules.h"

#include <gtest/gtest.h>

#include "attachments/liveness.h"
#include "base/deadline_for_test.h"
#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "journal/journal.h"
#include "undo/fake_kernel_for_test.h"
#include "unicni/line.h"
#include "unicni/netfilter/published_port.h"
#include "unicni/sys/file.h"
#include "unicni/undo/lease.h"
#include "unicni/undo/nft.h"

namespace unicni::undo::remembered_rules_test {
namespace {

class RememberedRulesTest : public ::testing::Test {
 protected:
  static net::NftElement element(const char* address) {
    return net::masquerade_element(IpNet::parse(address).value(), "net/c1/eth0");
  }
  /// Of an ADD that is at work, unless it has a `result`.
  void add(const std::string& container, const char* address, const std::string& result,
           const std::optional<Undo>& lease = std::nullopt) {
    auto journal =
        journal::Journal::open(folder_, {"net", container, "eth0"}, attachments::place_of(kernel_),
                               soon(), journal::Access::add);
    journal.begin_step("bridge", "{}", "", "");
    if (lease) journal.record(*lease);
    journal.record(undo_nft(element(address)));
    if (!result.empty()) journal.end_step(result);
  }

  FakeKernel kernel_;
  TempFolder temp_;
  const std::string folder_ = temp_ / "run/attachments";
  const std::string container_ = "c1";
  RememberedRules rules_{kernel_, folder_, container_};
};

TEST_F(RememberedRulesTest, WhatIsOnlyAnnouncedStandsLastAndIsCounted) {
  add("c1", "10.1.0.5/16", "");
  add("c2", "10.1.0.6/16", "{}");
  const net::NftMemory memory = rules_.remembered();
  ASSERT_EQ(memory.elements.size(), 2U);
  EXPECT_EQ(memory.announced, 1U);
  EXPECT_EQ(memory.elements[1], element("10.1.0.5/16"));
}

TEST_F(RememberedRulesTest, WhatIsAboutAnAddressThatALeaseHasNoMoreIsLeftOut) {
  const std::string file = temp_ / "lease";
  const auto has = [&](const char* address) {
    sys::write_file_atomically(file, LineWriter("lease").add("address", address).finish(), 0600);
    return rules_.remembered().elements.size() == 1U;
  };
  add("c1", "10.1.0.5/16", "{}", undo_lease({}, file, {"net", "c1", "eth0"}));
  EXPECT_TRUE(has("10.1.0.5/16"));
  EXPECT_TRUE(has("10.1.0.5/24"));
  EXPECT_FALSE(has("10.1.0.6/16"));
  sys::remove_file(file);
  EXPECT_EQ(rules_.remembered().elements.size(), 1U) << "nothing is known";
}

/// A port that leads to the old address would lead to whoever has it now.
TEST_F(RememberedRulesTest, PortsThatLeadToAnAddressThatALeaseHasNoMoreAreLeftOutWithTheirClaims) {
  const std::string file = temp_ / "lease";
  for (const bool at_any : {true, false}) {
    const std::string name = at_any ? "c1" : "c2";
    auto journal =
        journal::Journal::open(folder_, {"net", name, "eth0"}, attachments::place_of(kernel_),
                               soon(), journal::Access::add);
    journal.begin_step("bridge", "{}", "", "");
    journal.record(undo_lease({}, file, {"net", name, "eth0"}));
    net::PublishedPort port;
    port.protocol = 6;
    if (!at_any) port.host_ip = IpAddress::parse("192.0.2.1").value();
    port.host_port = 8080;
    port.container = IpAddress::parse("10.1.0.5").value();
    port.container_port = 80;
    const net::PortElements elements = net::port_elements(port, "net/" + name + "/eth0", "net");
    for (const auto& each : elements.own) journal.record(undo_nft(each));
    for (const auto& each : elements.shared) journal.record(undo_nft(each));
    journal.end_step("{}");
  }
  const auto remembered = [&](const char* address) {
    sys::write_file_atomically(file, LineWriter("lease").add("address", address).finish(), 0600);
    return rules_.remembered().elements.size();
  };
  EXPECT_GE(remembered("10.1.0.5/16"), 6U);
  EXPECT_EQ(remembered("10.1.0.6/16"), 0U);
}

/// Who waits for a port of a sibling's must not lead it there either.
TEST_F(RememberedRulesTest, AnAddressThatALeaseHasNoMoreIsHandedToNobody) {
  const std::string file = temp_ / "lease";
  add("c1", "10.1.0.5/16", "{}", undo_lease({}, file, {"net", "c1", "eth0"}));
  const auto handed = [&](const char* address) {
    sys::write_file_atomically(file, LineWriter("lease").add("address", address).finish(), 0600);
    const auto siblings = rules_.siblings("other/c1/eth1");
    return siblings.size() == 1 ? siblings[0].size() : 99;
  };
  EXPECT_EQ(handed("10.1.0.5/16"), 1U);
  EXPECT_EQ(handed("10.1.0.6/16"), 0U);
}

}  // namespace
}  // namespace unicni::undo::remembered_rules_test
