#include <gmock/gmock.h>

#include "config.h"
#include "interface/fake_host_for_test.h"
#include "options/parse.h"
#include "protocol/netconf.h"
#include "unicni/error.h"
#include "unicni/module.h"

extern "C" const unicni::ModuleDescriptor unicni_module_static;

namespace unicni::static_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// One step of static: netconf and CNI_ARGS in, verbs out.
struct Step {
  Call call;
  options::Parsed parsed;
  std::vector<std::string> warnings;
  FakeHost host;
  std::unique_ptr<Module, void (*)(Module*) noexcept> module{unicni_module_static.create(),
                                                             unicni_module_static.destroy};

  explicit Step(std::string netconf, const std::string& args = "", Command command = Command::add) {
    const auto parsed_netconf = protocol::Netconf::parse(std::move(netconf));
    parsed = options::parse(*unicni_module_static.options,
                            {parsed_netconf.json(), true, args, command}, warnings);
    call.command = command;
    call.spec_version = parsed_netconf.cni_version();
    call.parsed_options = parsed.data();
    call.prev_result = parsed_netconf.prev_result();
  }
  Result add() {
    module->validate(call);
    return module->add(call, host);
  }
  std::vector<std::string> addresses() {
    std::vector<std::string> texts;
    for (const IpConfig& ip : add().ips) {
      texts.push_back(ip.address.str() + (ip.gateway ? " via " + ip.gateway->str() : ""));
    }
    return texts;
  }
};

std::string with_ipam(const std::string& ipam, const std::string& more = "") {
  return R"({"cniVersion":"1.1.0","name":"n","type":"bridge",)" + more +
         R"("ipam":{"type":"static",)" + ipam + "}}";
}

const std::string kTwo =
    R"("addresses":[{"address":"10.0.0.2/24","gateway":"10.0.0.1"},{"address":"fd00::2/64"}])";

std::string refusal(const std::string& netconf, const std::string& args = "",
                    Command command = Command::add) {
  try {
    Step step(netconf, args, command);
    command == Command::check ? step.module->check(step.call, step.host)
                              : static_cast<void>(step.add());
  } catch (const Error& error) {
    return std::to_string(error.code()) + ": " + error.msg();
  }
  return "nothing";
}

TEST(Static, DescriptorSaysWhatItIs) {
  EXPECT_STREQ(unicni_module_static.name, "static");
  EXPECT_EQ(unicni_module_static.kind, ModuleKind::ipam);
  EXPECT_STREQ(unicni_module_static.capabilities[0], "ips");
  EXPECT_EQ(unicni_module_static.capabilities[1], nullptr);
}

TEST(Static, GivesWhatIsConfigured) {
  Step step(with_ipam(
      kTwo + R"(,"routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1","priority":5},{"dst":"fd01::/16"}],
                               "dns":{"nameservers":["10.0.0.1"],"search":["example.org"]})"));
  const Result result = step.add();
  ASSERT_EQ(result.ips.size(), 2U);
  EXPECT_EQ(result.ips[0].address.str(), "10.0.0.2/24") << "host bits are kept";
  EXPECT_EQ(result.ips[0].gateway, IpAddress::parse("10.0.0.1"));
  EXPECT_FALSE(result.ips[0].interface.has_value());
  EXPECT_FALSE(result.ips[1].gateway.has_value());
  ASSERT_EQ(result.routes.size(), 2U);
  EXPECT_EQ(result.routes[0].priority, 5U);
  EXPECT_EQ(result.routes[1].dst.str(), "fd01::/16");
  EXPECT_THAT(result.dns.nameservers, ElementsAre("10.0.0.1"));
  EXPECT_THAT(result.dns.search, ElementsAre("example.org"));
  EXPECT_THAT(result.interfaces, IsEmpty());
  EXPECT_THAT(step.warnings, IsEmpty());
}

TEST(Static, NoAddressIsNoError) {
  EXPECT_THAT(Step(R"({"name":"n","ipam":{"type":"static"}})").addresses(), IsEmpty());
}

TEST(Static, CniArgsAreAppended) {
  EXPECT_THAT(Step(with_ipam(kTwo), "IP=10.1.0.2/16,fd01::2/64").addresses(),
              ElementsAre("10.0.0.2/24 via 10.0.0.1", "fd00::2/64", "10.1.0.2/16", "fd01::2/64"));
}

TEST(Static, GatewaysOfCniArgsGoToAddressesOfCniArgs) {
  EXPECT_THAT(Step(with_ipam(kTwo), "GATEWAY=10.1.0.1,fd01::1,10.0.0.9;IP=10.1.0.2/16,fd01::2/64")
                  .addresses(),
              ElementsAre("10.0.0.2/24 via 10.0.0.1", "fd00::2/64", "10.1.0.2/16 via 10.1.0.1",
                          "fd01::2/64 via fd01::1"));
  EXPECT_THAT(Step(with_ipam(kTwo), "GATEWAY=10.1.0.1,10.1.0.3;IP=10.1.0.2/16").addresses().back(),
              "10.1.0.2/16 via 10.1.0.3")
      << "the last that fits";
}

TEST(Static, ArgsReplaceConfigurationAndCniArgs) {
  EXPECT_THAT(Step(with_ipam(kTwo, R"("args":{"cni":{"ips":["10.2.0.2/24"]}},)"), "IP=10.1.0.2/16")
                  .addresses(),
              ElementsAre("10.2.0.2/24"));
  EXPECT_THAT(Step(with_ipam(kTwo, R"("args":{"cni":{"ips":[]}},)")).addresses().size(), 2U);
}

TEST(Static, RuntimeConfigReplacesAll) {
  EXPECT_THAT(
      Step(
          with_ipam(
              kTwo,
              R"("args":{"cni":{"ips":["10.2.0.2/24"]}},"runtimeConfig":{"ips":["10.3.0.2/24","fd03::2/64"]},)"),
          "IP=10.1.0.2/16")
          .addresses(),
      ElementsAre("10.3.0.2/24", "fd03::2/64"));
  EXPECT_THAT(Step(with_ipam(kTwo, R"("runtimeConfig":{"ips":[]},)")).addresses().size(), 2U);
}

TEST(Static, ReplacingAddressKeepsTheGatewayThatItsSubnetHas) {
  const std::string two =
      R"("addresses":[{"address":"10.0.0.2/24","gateway":"10.0.0.1"},
                      {"address":"fd00::2/64","gateway":"fd00::1"},
                      {"address":"10.0.0.3/24","gateway":"10.0.0.9"}])";
  for (const char* more : {R"("args":{"cni":{"ips":IPS}},)", R"("runtimeConfig":{"ips":IPS},)"}) {
    const auto given = [&](const std::string& ips, const std::string& args = "") {
      std::string text = more;
      return Step(with_ipam(two, text.replace(text.find("IPS"), 3, ips)), args).addresses();
    };
    EXPECT_THAT(given(R"(["10.0.0.7/24","fd00::7/64","10.5.0.7/24"])"),
                ElementsAre("10.0.0.7/24 via 10.0.0.1", "fd00::7/64 via fd00::1", "10.5.0.7/24"));
    EXPECT_THAT(given(R"(["10.0.0.1/24","10.0.0.9/32"])"),
                ElementsAre("10.0.0.1/24 via 10.0.0.9", "10.0.0.9/32"))
        << "nobody is its own gateway";
    EXPECT_THAT(given(R"(["10.5.0.7/24","10.0.0.7/24"])", "GATEWAY=10.5.0.1,10.0.0.8"),
                ElementsAre("10.5.0.7/24 via 10.5.0.1", "10.0.0.7/24 via 10.0.0.8"))
        << "the runtime's gateway comes first";
  }
}

TEST(Static, WhatIsReplacedNeedsToBeNoAddress) {  // plugins#281
  const std::string ips = R"(["10.10.5.29/24"])";
  for (const char* addresses :
       {R"([{"gateway":"10.10.5.1"}])", R"([{"address":"","gateway":"10.10.5.1"}])",
        R"([{"address":null,"gateway":"10.10.5.1"}])",
        R"([{"address":"10.10.5.1","gateway":"10.10.5.1"},{"gateway":"x"}])"}) {
    const std::string ipam = R"("addresses":)" + std::string(addresses);
    EXPECT_THAT(Step(with_ipam(ipam, R"("args":{"cni":{"ips":)" + ips + "}},")).addresses(),
                ElementsAre("10.10.5.29/24 via 10.10.5.1"));
    EXPECT_THAT(Step(with_ipam(ipam, R"("runtimeConfig":{"ips":)" + ips + "},")).addresses(),
                ElementsAre("10.10.5.29/24 via 10.10.5.1"));
    EXPECT_THAT(refusal(with_ipam(ipam)), HasSubstr("7: ipam.addresses[0].address: "));
    EXPECT_THAT(refusal(with_ipam(ipam), "IP=10.10.5.29/24"),
                HasSubstr("7: ipam.addresses[0].address: "))
        << "IP of CNI_ARGS replaces nothing";
  }
}

TEST(Static, StatusKnowsNotWhatTheRuntimeWillGive) {
  const auto status = [](const std::string& addresses) {
    try {
      Step step(with_ipam(R"("addresses":)" + addresses), "", Command::status);
      step.module->validate(step.call);
    } catch (const Error& error) {
      return std::to_string(error.code());
    }
    return std::string("ready");
  };
  EXPECT_EQ(status(R"([{"gateway":"10.10.5.1"},{"address":""}])"), "ready");
  EXPECT_EQ(status(R"([{"address":"10.10.5.29"}])"), "7");
  EXPECT_EQ(status(R"([{"address":"10.10.5.29/24","gateway":"x"}])"), "7");
}

TEST(Static, EmptyValuesOfCniArgsMeanNone) {
  EXPECT_THAT(Step(with_ipam(kTwo), "IgnoreUnknown=1;IP=;GATEWAY=;MAC=").addresses(),
              ElementsAre("10.0.0.2/24 via 10.0.0.1", "fd00::2/64"));
}

TEST(Static, BroadcastAddressIsRefused) {
  const auto given = [](const std::string& address) {
    return refusal(
        with_ipam(R"("addresses":[{"address":"10.0.0.2/24"},{"address":")" + address + R"("}])"));
  };
  EXPECT_EQ(given("10.1.0.255/24"),
            "7: address 10.1.0.255/24 is the broadcast address of 10.1.0.0/24");
  EXPECT_EQ(given("10.1.0.3/30"), "7: address 10.1.0.3/30 is the broadcast address of 10.1.0.0/30");
  for (const char* fine : {"10.1.0.255/23", "10.1.0.255/32", "10.1.0.255/31", "10.1.0.254/31",
                           "10.1.0.0/24", "10.1.1.5/0", "fd00::ffff/112", "fd00::1/127"}) {
    EXPECT_EQ(given(fine), "nothing") << fine;
  }
  EXPECT_EQ(refusal(with_ipam(kTwo, R"("runtimeConfig":{"ips":["10.1.0.255/24"]},)")),
            "7: address 10.1.0.255/24 is the broadcast address of 10.1.0.0/24");
  EXPECT_EQ(refusal(with_ipam(kTwo), "IP=10.1.0.255/24"),
            "7: address 10.1.0.255/24 is the broadcast address of 10.1.0.0/24");
}

TEST(Static, WhatNoInterfaceCanHaveIsRefused) {
  for (const std::string address : {"0.0.0.0/0", "0.0.0.0/24", "::/64"}) {
    EXPECT_EQ(refusal(with_ipam(R"("addresses":[{"address":")" + address + R"("}])")),
              "7: address " + address + " is no address that an interface can have");
  }
  EXPECT_EQ(refusal(with_ipam(kTwo), "IP=10.0.0.2/24"), "7: address 10.0.0.2/24 is given twice");
  EXPECT_EQ(refusal(with_ipam(kTwo, R"("runtimeConfig":{"ips":["fd00::3/64","fd00::3/64"]},)")),
            "7: address fd00::3/64 is given twice");
}

TEST(Static, GatewayOfTheOtherFamilyIsRefused) {
  EXPECT_EQ(refusal(with_ipam(R"("addresses":[{"address":"10.0.0.2/24","gateway":"fd00::1"}])")),
            "7: gateway fd00::1 is of another family than 10.0.0.2/24");
}

TEST(Static, EmptyGatewayIsNone) {
  EXPECT_THAT(
      Step(with_ipam(R"("addresses":[{"address":"10.0.0.2/24","gateway":""}])")).addresses(),
      ElementsAre("10.0.0.2/24"));
}

TEST(Static, WrongValuesAreNamed) {
  EXPECT_THAT(
      refusal(with_ipam(R"("addresses":[{"address":"10.0.0.2"}])")),
      testing::AllOf(HasSubstr("7: ipam.addresses[0].address: "), HasSubstr("\"10.0.0.2\"")));
  EXPECT_THAT(refusal(with_ipam(R"("addresses":[{}])")),
              HasSubstr("7: ipam.addresses[0].address: missing"));
  EXPECT_THAT(refusal(with_ipam(R"("addresses":[{"address":"10.0.0.2/24","gateway":"x"}])")),
              HasSubstr("7: ipam.addresses[0].gateway: "));
  EXPECT_THAT(refusal(with_ipam(kTwo, R"("runtimeConfig":{"ips":["10.0.0.2"]},)")),
              HasSubstr("7: runtimeConfig.ips[0]: "));
  EXPECT_THAT(refusal(with_ipam(kTwo, R"("args":{"cni":{"ips":["10.0.0.2"]}},)")),
              HasSubstr("7: args.cni.ips[0]: "));
  EXPECT_THAT(refusal(with_ipam(kTwo), "IP=10.0.0.2"),
              HasSubstr("4: ARGS: error parsing value of pair \"IP=10.0.0.2\""));
  EXPECT_THAT(refusal(with_ipam(kTwo), "GATEWAY=x"),
              HasSubstr("4: ARGS: error parsing value of pair \"GATEWAY=x\""));
  EXPECT_THAT(refusal(with_ipam(kTwo), "FOO=x"), HasSubstr("4: ARGS: unknown args"));
  EXPECT_EQ(refusal(R"({"name":"n"})"), "7: IPAM config missing 'ipam' key");
}

TEST(Static, OldVersionsHoldOneAddressAFamily) {
  const std::string three =
      R"("name":"n","ipam":{"type":"static","addresses":[{"address":"10.0.0.2/24"},{"address":"10.0.0.3/24"},{"address":"fd00::2/64"}]}})";
  for (const char* version : {"0.1.0", "0.2.0"}) {
    EXPECT_THAT(refusal(std::string(R"({"cniVersion":")") + version + R"(",)" + three),
                HasSubstr(std::string("7: CNI version ") + version +
                          " does not support more than 1 address per family"));
    EXPECT_EQ(refusal(std::string(R"({"cniVersion":")") + version +
                      R"(","name":"n","ipam":{"type":"static",)" + kTwo + "}}"),
              "nothing")
        << "one of each family is fine";
  }
  EXPECT_EQ(refusal(R"({"cniVersion":"0.3.0",)" + three), "nothing");
}

TEST(Static, CheckWantsItsAddressesInPrevResult) {
  const auto check = [](const std::string& ips) {
    return refusal(with_ipam(kTwo, R"("prevResult":{"cniVersion":"1.1.0","ips":)" + ips + "},"), "",
                   Command::check);
  };
  EXPECT_EQ(
      check(
          R"([{"address":"10.0.0.2/24","gateway":"10.0.0.1","interface":2},{"address":"fd00::2/64"}])"),
      "nothing");
  EXPECT_EQ(check(R"([{"address":"fd00::2/64","gateway":"fd00::1"},{"address":"10.9.0.2/24"},
                      {"address":"10.0.0.2/24","gateway":"10.0.0.1"}])"),
            "nothing")
      << "more addresses and a gateway that the main plugin chose are others' business";
  EXPECT_EQ(check(R"([{"address":"10.0.0.2/24","gateway":"10.0.0.1"}])"),
            "999: address fd00::2/64 is not in prevResult");
  EXPECT_EQ(check(R"([{"address":"10.0.0.2/16","gateway":"10.0.0.1"},{"address":"fd00::2/64"}])"),
            "999: address 10.0.0.2/24 is not in prevResult");
  EXPECT_EQ(
      check(R"([{"address":"10.0.0.2/24","gateway":"10.0.0.9"},{"address":"fd00::2/64"}])"),
      "999: gateway of 10.0.0.2/24 is 10.0.0.9 in prevResult, but 10.0.0.1 in the configuration");
  EXPECT_EQ(
      check(R"([{"address":"10.0.0.2/24"},{"address":"fd00::2/64"}])"),
      "999: gateway of 10.0.0.2/24 is absent in prevResult, but 10.0.0.1 in the configuration");
}

TEST(Static, CheckTakesTheReferencesReplacingAddressWithoutGateway) {
  const auto check = [](const std::string& ip) {
    return refusal(
        with_ipam(kTwo, R"("runtimeConfig":{"ips":["10.0.0.7/24"]},)"
                        R"("prevResult":{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.7/24")" +
                            ip + "}]},"),
        "", Command::check);
  };
  EXPECT_EQ(check(""), "nothing");
  EXPECT_EQ(check(R"(,"gateway":"10.0.0.1")"), "nothing");
  EXPECT_THAT(check(R"(,"gateway":"10.0.0.9")"), HasSubstr("999: gateway of 10.0.0.7/24"));
}

TEST(Static, CheckNeedsPrevResult) {
  EXPECT_EQ(refusal(with_ipam(kTwo), "", Command::check), "7: Required prevResult missing");
}

TEST(Static, DelAlwaysSucceeds) {
  for (const char* netconf :
       {"{}", R"({"ipam":{"addresses":[{"address":"bad"}]}})", R"({"ipam":{"addresses":7}})"}) {
    Step step(netconf, "garbage", Command::del);
    EXPECT_NO_THROW(step.module->del(step.call, step.host));
    EXPECT_NO_THROW(step.module->del(step.call, step.host));
  }
}

TEST(Static, StatusIsReadyAndGcHasNothingToDo) {
  Step step(with_ipam(kTwo), "", Command::status);
  EXPECT_NO_THROW(step.module->status(step.call, step.host));
  step.call.valid_attachments.emplace();
  EXPECT_NO_THROW(step.module->gc(step.call, step.host));
}

}  // namespace
}  // namespace unicni::static_test
