// Without a firewalld; tests/integration/firewalld_test.cc has the real one.
#include "unicni/netfilter/firewalld.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "base/temp_folder_for_test.h"
#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net::firewalld_test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr const char* kVariable = "DBUS_SYSTEM_BUS_ADDRESS";

class FirewalldTest : public testing::Test {
 protected:
  ~FirewalldTest() override { ::unsetenv(kVariable); }
  static void use(const std::string& address) { ::setenv(kVariable, address.c_str(), 1); }
  static Deadline in(milliseconds time) { return std::chrono::steady_clock::now() + time; }
};

TEST_F(FirewalldTest, NoBusIsAbsenceAndGetSaysWhatToDo) {
  for (const char* address : {"unix:path=/nowhere/bus", "nonsense"}) {
    use(address);
    EXPECT_FALSE(Firewalld::find(in(milliseconds(1000)))) << address;
    try {
      Firewalld::get(in(milliseconds(1000)));
      FAIL() << address;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::not_available)) << error.code();
      EXPECT_THAT(error.msg(), HasSubstr(kVariable));
      EXPECT_THAT(error.details(), HasSubstr("systemctl start firewalld"));
    }
  }
}

TEST_F(FirewalldTest, ABusThatIsSilentIsGivenUpAtTheDeadline) {
  const TempFolder folder;
  const std::string path = folder.path() + "/bus";
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  ASSERT_LT(path.copy(name.sun_path, sizeof name.sun_path - 1), sizeof name.sun_path - 1);
  const sys::Fd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  use("unix:path=" + path);
  const auto start = std::chrono::steady_clock::now();
  try {
    Firewalld::find(start + milliseconds(100));
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::try_again)) << error.msg();
  }
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, milliseconds(100));
  EXPECT_LT(took, milliseconds(5000));
}

TEST(Firewalld, WritesAddressesAsSubnets) {
  const FirewalldSource source{"trusted", IpAddress::parse("fd00::5").value()};
  EXPECT_EQ(firewalld_text(source.address), "fd00::5/128");
  EXPECT_EQ(firewalld_text(IpAddress::parse("10.1.0.5").value()), "10.1.0.5/32");
}

class FirewalldRules : public PrivateNetnsTest {
 protected:
  static IpAddress address(const char* text) { return IpAddress::parse(text).value(); }
  Nft nft_;
};

TEST_F(FirewalldRules, ShowWhetherAnAddressMayBeASource) {
  EXPECT_FALSE(may_be_firewalld_source(nft_, address("10.1.0.5")));
  shell("nft add table inet firewalld; nft add chain inet firewalld filter_FORWARD");
  EXPECT_TRUE(may_be_firewalld_source(nft_, address("10.1.0.5"))) << "a form that isn't known";
  shell(
      "nft add chain inet firewalld filter_FORWARD_ZONES; "
      "nft add chain inet firewalld filter_FWD_trusted; "
      "nft add rule inet firewalld filter_FORWARD_ZONES ip saddr 10.1.0.5 goto filter_FWD_trusted; "
      "nft add rule inet firewalld filter_FORWARD_ZONES ip6 saddr fd00::5 goto filter_FWD_trusted");
  EXPECT_TRUE(may_be_firewalld_source(nft_, address("10.1.0.5")));
  EXPECT_TRUE(may_be_firewalld_source(nft_, address("fd00::5")));
  EXPECT_FALSE(may_be_firewalld_source(nft_, address("10.1.0.6")));
}

}  // namespace
}  // namespace unicni::net::firewalld_test
