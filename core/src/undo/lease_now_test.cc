#include "undo/lease_now.h"

#include <gtest/gtest.h>

#include <string>

#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/netfilter/forwarding.h"
#include "unicni/netfilter/masquerade.h"
#include "unicni/netfilter/published_port.h"
#include "unicni/netfilter/spoof_check.h"
#include "unicni/sys/file.h"
#include "unicni/undo/lease.h"

namespace unicni::undo::lease_now_test {
namespace {

constexpr const char* kOwner = "net/c1/eth0";

net::NftElement masquerade(const char* address) {
  return net::masquerade_element(ip_net(address), kOwner);
}

class LeaseNowTest : public ::testing::Test {
 protected:
  void say(LineWriter line) { sys::write_file_atomically(file_, line.finish(), 0600); }
  [[nodiscard]] bool is_given_up(const net::NftElement& element) const {
    return LeaseNow::find(record_).value().has_given_up(element);
  }

  TempFolder temp_;
  const std::string file_ = temp_ / "net:c1:eth0";
  const Undo record_ = undo_lease({"dhcp", "/s", "/x", temp_.path()}, file_, {"net", "c1", "eth0"});
};

TEST_F(LeaseNowTest, WhatARenewalReplacedIsGivenUp) {
  say(LineWriter("lease").add("address", "10.1.0.6/16"));
  EXPECT_TRUE(is_given_up(masquerade("10.1.0.5/16")));
  EXPECT_FALSE(is_given_up(masquerade("10.1.0.6/16")));
  EXPECT_FALSE(is_given_up(masquerade("10.1.0.6/24"))) << "another mask is no other address";
  EXPECT_FALSE(is_given_up(masquerade("2001:db8::5/64"))) << "not the lease's";
}

TEST_F(LeaseNowTest, WhatTheServerTookBackIsGivenUp) {
  say(LineWriter("lease").add("mac", "02:00:00:00:00:01").add("v6.given", "1"));
  EXPECT_TRUE(is_given_up(masquerade("10.1.0.5/16")));
  EXPECT_TRUE(is_given_up(masquerade("2001:db8::5/64")));
  say(LineWriter("lease").add("mac", "02:00:00:00:00:01").add("v6.need", "on"));
  EXPECT_FALSE(is_given_up(masquerade("2001:db8::5/64"))) << "was never given";
}

TEST_F(LeaseNowTest, OfThoseAboutAPublishedPortTheContainersEndpointIsGivenUp) {
  say(LineWriter("lease").add("address", "10.1.0.6/16"));
  net::PublishedPort port;
  port.protocol = 6;
  port.host_ip = ip("10.1.0.5");  // of the host: what the lease has is no matter
  port.host_port = 8080;
  port.container = ip("10.1.0.5");
  port.container_port = 80;
  port.prefix = 16;
  for (const net::NftElement& element : net::port_elements(port, kOwner, "net").own) {
    EXPECT_EQ(is_given_up(element), !net::is_about_host_port(element)) << element.set;
    EXPECT_EQ(LeaseNow::find(record_).value().leads_to_given_up(element),
              net::is_about_host_port(element))
        << element.set;
  }
}

TEST_F(LeaseNowTest, WhatIsAboutNoAddressIsNeverGivenUp) {
  say(LineWriter("lease").add("address", "10.1.0.6/16"));
  for (const auto& each : net::spoof_check_elements("veth0", Mac{}, kOwner)) {
    EXPECT_FALSE(is_given_up(each)) << each.set;
  }
  net::NftElement torn = masquerade("10.1.0.5/16");
  torn.key.resize(3);
  EXPECT_FALSE(is_given_up(torn));
}

TEST_F(LeaseNowTest, NothingIsKnownOfALeaseWhoseFileIsGoneOrDamaged) {
  EXPECT_FALSE(LeaseNow::find(record_));
  sys::write_file_atomically(file_, "lease address=10.1.0.6/16 #00000000\n", 0600);
  EXPECT_FALSE(LeaseNow::find(record_));
  EXPECT_FALSE(LeaseNow::find(Undo{"nft", 1, false, {{"file", file_}}}));
  EXPECT_FALSE(LeaseNow::find(undo_lease({}, temp_.path(), {"net", "c1", "eth0"}))) << "a folder";
}

}  // namespace
}  // namespace unicni::undo::lease_now_test
