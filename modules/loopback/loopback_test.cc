#include <gmock/gmock.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

#include "interface/fake_host_for_test.h"
#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/net/addr.h"
#include "unicni/net/link.h"

extern "C" const unicni::ModuleDescriptor unicni_module_loopback;

namespace unicni::loopback_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Loopback : public testing::Test {
 protected:
  void SetUp() override {
    // A fresh namespace a test; the last one ends with the process.
    ASSERT_EQ(unshare(CLONE_NEWNET), 0) << std::strerror(errno);
    call.netns = "/run/netns/test";
    call.key.if_name = "eth7";
    call.spec_version = "1.1.0";
  }
  net::Link lo() { return net::get_link(host.container_links(), "lo"); }
  void put(const char* address) {
    net::Batch batch(host.container_links());
    net::add_addr(batch, {lo().index, "lo"}, *IpNet::parse(address), net::Dad::skip, true);
    batch.commit();
  }
  template <class Run>
  std::string thrown(const Run& run) {
    try {
      run();
    } catch (const Error& error) {
      return std::to_string(error.code()) + ": " + error.msg();
    }
    return "nothing";
  }

  FakeHost host;
  Call call;
  std::unique_ptr<Module, void (*)(Module*) noexcept> module{unicni_module_loopback.create(),
                                                             unicni_module_loopback.destroy};
};

TEST_F(Loopback, DescriptorSaysWhatItIs) {
  EXPECT_STREQ(unicni_module_loopback.name, "loopback");
  EXPECT_EQ(unicni_module_loopback.kind, ModuleKind::link);
  EXPECT_EQ(unicni_module_loopback.options, nullptr);
}

TEST_F(Loopback, AddSetsLoUpAndReportsIt) {
  ASSERT_FALSE(lo().up);
  const Result result = module->add(call, host);
  EXPECT_TRUE(lo().up);
  ASSERT_EQ(result.interfaces.size(), 1U);
  EXPECT_EQ(result.interfaces[0].name, "lo") << "not CNI_IFNAME";
  EXPECT_EQ(result.interfaces[0].mac, "00:00:00:00:00:00");
  EXPECT_EQ(result.interfaces[0].sandbox, "/run/netns/test");
  ASSERT_EQ(result.ips.size(), net::list_addrs(host.container_links(), lo().index).size());
  EXPECT_EQ(result.ips[0].address.str(), "127.0.0.1/8");
  EXPECT_EQ(result.ips[0].interface, 0);
  EXPECT_FALSE(result.ips[0].gateway.has_value());
  if (result.ips.size() > 1) {
    EXPECT_EQ(result.ips[1].address.str(), "::1/128");
    EXPECT_EQ(result.ips[1].interface, 0);
  }
  EXPECT_THAT(result.routes, IsEmpty());
  EXPECT_TRUE(result.dns.empty());
}

TEST_F(Loopback, AddTwiceIsTheSame) { EXPECT_EQ(module->add(call, host), module->add(call, host)); }

TEST_F(Loopback, OnlyTheFirstAddressOfAFamilyIsReported) {
  module->add(call, host);
  put("127.0.0.5/32");
  const Result result = module->add(call, host);
  int v4 = 0;
  for (const IpConfig& ip : result.ips) v4 += ip.address.is_v4() ? 1 : 0;
  EXPECT_EQ(v4, 1);
}

TEST_F(Loopback, ForeignAddressesAreRefusedAndLoStaysDown) {
  put("10.9.8.7/32");
  const std::string refused = thrown([&] { module->add(call, host); });
  EXPECT_THAT(refused, HasSubstr("999: loopback interface lo in /run/netns/test found with "
                                 "non-loopback address \"10.9.8.7/32\""));
  EXPECT_FALSE(lo().up);
}

TEST_F(Loopback, ForeignAddressesAreRefusedAndLoStaysUp) {
  module->add(call, host);
  put("10.9.8.7/32");
  call.prev_result.emplace();
  EXPECT_THAT(thrown([&] { module->add(call, host); }), HasSubstr("10.9.8.7/32"))
      << "also with a prevResult";
  EXPECT_TRUE(lo().up);
}

TEST_F(Loopback, PrevResultPassesThroughUnchanged) {
  Result before;
  before.interfaces.push_back(
      {"eth0", "0a:58:0a:01:02:03", 1500, "/run/netns/test", "", "", R"({"x":1})"});
  before.ips.push_back({*IpNet::parse("10.0.0.2/24"), IpAddress::parse("10.0.0.1"), 0, {}});
  before.dns.domain = "example.org";
  call.prev_result = before;
  EXPECT_EQ(module->add(call, host), before);
  EXPECT_TRUE(lo().up);
}

TEST_F(Loopback, CheckNamesALoThatIsDown) {
  call.command = Command::check;
  EXPECT_EQ(thrown([&] { module->check(call, host); }),
            "999: loopback interface lo in /run/netns/test is down");
  module->add(call, host);
  EXPECT_EQ(thrown([&] { module->check(call, host); }), "nothing") << "no prevResult is needed";
}

TEST_F(Loopback, DelSetsLoDownAgainAndAgain) {
  module->add(call, host);
  call.command = Command::del;
  module->del(call, host);
  EXPECT_FALSE(lo().up);
  EXPECT_NO_THROW(module->del(call, host));
}

TEST_F(Loopback, DelWithoutNamespaceIsDone) {
  module->add(call, host);
  host.container_is_there = false;
  EXPECT_NO_THROW(module->del(call, host));
  EXPECT_TRUE(lo().up) << "nothing was touched";
}

TEST_F(Loopback, StatusAndGcHaveNothingToSay) {
  EXPECT_NO_THROW(module->status(call, host));
  EXPECT_NO_THROW(module->gc(call, host));
}

}  // namespace
}  // namespace unicni::loopback_test
