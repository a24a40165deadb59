#include "undo/renewed.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/ip_for_test.h"
#include "unicni/error.h"

namespace unicni::renewed_test {
namespace {

/// What a CHECK says that misses something, of an attachment with these addresses.
std::string said(const std::vector<IpNet>& added, const std::vector<IpNet>& renewed) {
  Call call;
  call.type = "firewall";
  call.prev_result.emplace();
  for (const IpNet& address : added) call.prev_result->ips.emplace_back().address = address;
  try {
    check_renewed(call, {renewed}, [](const Call&) { throw Error(Code::internal, "missing"); });
  } catch (const Error& error) {
    return error.msg();
  }
  return {};
}

TEST(Renewed, AnErrorNamesTheAddressesAndWhereTheyAreEqualTheirPrefixes) {
  EXPECT_EQ(said({ip_net("10.0.0.5/24")}, {ip_net("10.0.0.5/24")}), "missing");
  EXPECT_EQ(said({ip_net("10.0.0.5/24")}, {ip_net("10.0.0.9/24")}),
            "10.0.0.5 became 10.0.0.9 at a renewal of the DHCP lease, which firewall doesn't "
            "follow: missing");
  EXPECT_EQ(said({ip_net("10.0.0.5/24")}, {ip_net("10.0.0.5/16")}),
            "10.0.0.5/24 became 10.0.0.5/16 at a renewal of the DHCP lease, which firewall doesn't "
            "follow: missing");
  EXPECT_EQ(said({ip_net("10.0.0.5/24"), ip_net("2001:db8::5/128")},
                 {ip_net("10.0.0.5/16"), ip_net("2001:db8::9/128")}),
            "10.0.0.5/24 became 10.0.0.5/16, 2001:db8::5 became 2001:db8::9 at a renewal of the "
            "DHCP lease, which firewall doesn't follow: missing");
}

}  // namespace
}  // namespace unicni::renewed_test
