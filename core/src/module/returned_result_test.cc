#include "module/returned_result.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error_for_test.h"
#include "unicni/error.h"

namespace unicni::module::returned_result_test {
namespace {

IpNet net(const char* text) { return *IpNet::parse(text); }
IpAddress address(const char* text) { return *IpAddress::parse(text); }

/// As a module makes it.
Result sound_result() {
  Result result;
  result.interfaces.push_back({"cni0", "0a:58:0a:01:02:01", 1500, "", "", "", ""});
  result.interfaces.push_back(
      {"eth0", "", 0, "/run/netns/c1", "/run/s", "0000:00:1f.6", R"({"k": 1})"});
  result.ips.push_back({net("10.1.2.3/24"), address("10.1.2.1"), 1, {}});
  result.ips.push_back({net("fd00::3/64"), {}, {}, {}});
  result.routes.push_back({net("0.0.0.0/0"), address("10.1.2.1"), 0, 0, 0, {}, 255, {}});
  result.routes.push_back({net("::/0"), {}, 0, 0, 0, 254, {}, {}});
  result.dns = {{"10.1.2.1"}, "na\xc3\xafve.example", {"a.example"}, {"ndots:2"}};
  return result;
}

struct Fault {
  const char* what;
  std::function<void(Result&)> make;
  const char* msg;
};

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = {
      {"index too high", [](Result& r) { r.ips[0].interface = 2; }, "result.ips[0].interface is 2"},
      {"index below 0", [](Result& r) { r.ips[1].interface = -1; },
       "result.ips[1].interface is -1"},
      {"no interfaces", [](Result& r) { r.interfaces.clear(); }, "result.ips[0].interface is 1"},
      {"default address", [](Result& r) { r.ips[1].address = {}; },
       "result.ips[1].address is 0.0.0.0/0"},
      {"unspecified address", [](Result& r) { r.ips[1].address = net("::/64"); },
       "result.ips[1].address is ::/64"},
      {"gateway of IPv6", [](Result& r) { r.ips[0].gateway = address("fd00::1"); },
       "result.ips[0].gateway is fd00::1"},
      {"route by IPv4", [](Result& r) { r.routes[1].gw = address("10.1.2.1"); },
       "result.routes[1].gw is 10.1.2.1"},
      {"scope", [](Result& r) { r.routes[0].scope = 256; }, "result.routes[0].scope is 256"},
      {"route's extra", [](Result& r) { r.routes[0].extra = "x"; },
       "result.routes[0].extra is \"x\""},
      {"no name", [](Result& r) { r.interfaces[1].name = ""; },
       "result.interfaces[1].name is \"\""},
      {"NUL in a name", [](Result& r) { r.interfaces[1].name = std::string("e\0", 2); },
       "result.interfaces[1].name is \"e\\u0000\""},
      {"MAC in words", [](Result& r) { r.interfaces[0].mac = "random"; },
       "result.interfaces[0].mac is \"random\""},
      {"half a MAC", [](Result& r) { r.interfaces[0].mac = "0a:58:0"; },
       "result.interfaces[0].mac is \"0a:58:0\""},
      {"MAC with dots", [](Result& r) { r.interfaces[0].mac = "0a.58"; },
       "result.interfaces[0].mac is \"0a.58\""},
      {"33 bytes",
       [](Result& r) {
         r.interfaces[0].mac = "00";
         for (int i = 0; i < 32; ++i) r.interfaces[0].mac += ":00";
       },
       "result.interfaces[0].mac is \"00:00"},
      {"sandbox", [](Result& r) { r.interfaces[0].sandbox = "\xff"; },
       "result.interfaces[0].sandbox is "},
      {"socket", [](Result& r) { r.interfaces[0].socket_path = "\xff"; },
       "result.interfaces[0].socketPath is "},
      {"PCI", [](Result& r) { r.interfaces[0].pci_id = "\xff"; }, "result.interfaces[0].pciID is "},
      {"interface's extra", [](Result& r) { r.interfaces[0].extra = "[1]"; },
       "result.interfaces[0].extra is \"[1]\""},
      {"address's extra", [](Result& r) { r.ips[0].extra = "{"; }, "result.ips[0].extra is \"{\""},
      {"extra", [](Result& r) { r.extra = "null"; }, "result.extra is \"null\""},
      {"DNS server", [](Result& r) { r.dns.nameservers[0] = "\xff"; },
       "result.dns.nameservers[0] is "},
      {"domain", [](Result& r) { r.dns.domain = "\xff"; }, "result.dns.domain is "},
      {"search", [](Result& r) { r.dns.search.emplace_back("\xff"); }, "result.dns.search[1] is "},
      {"DNS options", [](Result& r) { r.dns.options[0] = std::string(1, '\0'); },
       "result.dns.options[0] is "},
  };
  return all;
}

TEST(ReturnedResult, WhatARuntimeCanUseIsTaken) {
  EXPECT_NO_THROW(require_sound({}, {}));
  EXPECT_NO_THROW(require_sound(sound_result(), {}));
  Result infiniband = sound_result();
  infiniband.interfaces[0].mac = "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:C9:03:00:00:0b:a1";
  EXPECT_NO_THROW(require_sound(infiniband, {}));
}

TEST(ReturnedResult, EveryFaultIsNamedByItsField) {
  for (const Fault& fault : faults()) {
    SCOPED_TRACE(fault.what);
    Result result = sound_result();
    fault.make(result);
    const Error error = error_of([&] { require_sound(result, {}); });
    EXPECT_TRUE(error.is(Code::internal));
    EXPECT_EQ(error.msg().rfind(fault.msg, 0), 0U) << error.msg();
    EXPECT_NE(error.details().find("expected; this is a bug in the module"), std::string::npos)
        << error.details();
  }
}

TEST(ReturnedResult, WhatOthersMadeAndAModuleHandsOnIsNotItsFault) {
  for (const Fault& fault : faults()) {
    SCOPED_TRACE(fault.what);
    Call call;
    call.prev_result = sound_result();
    fault.make(*call.prev_result);
    Result result = *call.prev_result;
    // As tuning and others change what stands beside it.
    for (Interface& each : result.interfaces) each.mtu = 1400;
    for (IpConfig& each : result.ips) {
      if (each.extra.empty()) each.extra = R"({"by": "us"})";
    }
    EXPECT_NO_THROW(require_sound(result, call));
  }
}

TEST(ReturnedResult, TheNetnsIsHandedOnAsItCame) {
  Call call;
  call.netns = "/run/netns/\xff";
  Result result;
  result.interfaces.push_back({"e\xff", "", 0, call.netns, "", "", ""});
  EXPECT_NO_THROW(require_sound(result, call));
}

}  // namespace
}  // namespace unicni::module::returned_result_test
