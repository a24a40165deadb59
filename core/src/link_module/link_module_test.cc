#include "unicni/link_module.h"

#include <gtest/gtest.h>

#include "unicni/error.h"

namespace unicni {
namespace {

/// A module that supplies nothing: what is left is the skeleton.
class Bare final : public LinkModule {
 public:
  bool options_seen = false;

 protected:
  const char* container_kind() const override { return "veth"; }
  void validate_options(const Call&) override { options_seen = true; }
  void create_link(LinkAdd&) override { FAIL() << "validate() must not act"; }
  void check_link(const Call&, Host&, const net::Link&) override {}
  const std::optional<Dns>& dns(const Call&) const override { return dns_; }

 private:
  std::optional<Dns> dns_;
};

Call call(Command command, const char* version, const char* ipam) {
  Call made;
  made.command = command;
  made.spec_version = version;
  made.ipam_type = ipam;
  return made;
}

unsigned refusal(const Call& made) {
  try {
    Bare().validate(made);
    return 0;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(LinkModule, AnInterfaceWithoutAddressesIsRefusedWhereNoResultCanTellOfIt) {
  EXPECT_EQ(refusal(call(Command::add, "0.1.0", "")), 7U);
  EXPECT_EQ(refusal(call(Command::add, "0.2.0", "")), 7U);
  EXPECT_EQ(refusal(call(Command::add, "0.3.0", "")), 0U);
  EXPECT_EQ(refusal(call(Command::add, "1.1.0", "")), 0U);
  EXPECT_EQ(refusal(call(Command::add, "0.2.0", "host-local")), 0U);
}

TEST(LinkModule, CheckNeedsPrevResult) {
  Call check = call(Command::check, "1.0.0", "");
  EXPECT_EQ(refusal(check), 7U);
  check.prev_result.emplace();
  EXPECT_EQ(refusal(check), 0U);
}

TEST(LinkModule, TheModulesOwnRefusalsComeLast) {
  Bare bare;
  EXPECT_THROW(bare.validate(call(Command::add, "0.2.0", "")), Error);
  EXPECT_FALSE(bare.options_seen);
  bare.validate(call(Command::add, "1.0.0", ""));
  EXPECT_TRUE(bare.options_seen);
}

TEST(LinkModule, InterfacesAreFoundByNameAndSandbox) {
  Result result;
  result.interfaces.resize(2);
  result.interfaces[0].name = "eth0";
  result.interfaces[1].name = "eth0";
  result.interfaces[1].sandbox = "/run/netns/x";
  EXPECT_EQ(find_interface(result, "eth0", ""), &result.interfaces[0]);
  EXPECT_EQ(find_interface(result, "eth0", "/run/netns/x"), &result.interfaces[1]);
  EXPECT_EQ(find_interface(result, "eth0", "/run/netns/y"), nullptr);
  EXPECT_EQ(find_interface(result, "eth1", ""), nullptr);
}

TEST(LinkModule, ARecordedMacMustBeTheKernels) {
  net::Link link;
  link.name = "eth0";
  link.mac = *Mac::parse("0a:00:00:00:00:01");
  Interface recorded;
  EXPECT_NO_THROW(require_same_mac(recorded, link)) << "nothing recorded, nothing to compare";
  recorded.mac = "0A-00-00-00-00-01";
  EXPECT_NO_THROW(require_same_mac(recorded, link));
  recorded.mac = "0a:00:00:00:00:02";
  try {
    require_same_mac(recorded, link);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.msg().find("0a:00:00:00:00:01"), std::string::npos);
    EXPECT_NE(error.msg().find("0a:00:00:00:00:02"), std::string::npos);
  }
  recorded.mac = "nonsense";
  EXPECT_THROW(require_same_mac(recorded, link), Error);
}

}  // namespace
}  // namespace unicni
