#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include <ctime>
#include <filesystem>
#include <set>

#include "fixture_for_test.h"
#include "unicni/ipam/store.h"

namespace unicni::host_local::host_local_test {
namespace {

using std::string;

TEST_F(HostLocalTest, DescribesItself) {
  const ModuleDescriptor& descriptor = unicni_module_host_local;
  EXPECT_STREQ(descriptor.name, "host-local");
  EXPECT_EQ(descriptor.kind, ModuleKind::ipam);
  EXPECT_EQ(descriptor.options, &kHostLocalOptions);
  EXPECT_STREQ(descriptor.capabilities[0], "ips");
  EXPECT_STREQ(descriptor.capabilities[1], "ipRanges");
  EXPECT_EQ(descriptor.capabilities[2], nullptr);
}

TEST_F(HostLocalTest, AddGivesOneAddressOfEachSet) {
  options.ranges = {{subnet("10.1.2.0/24")}, {subnet("2001:db8:1::/64")}};
  options.ranges[0][0].gateway = ip("10.1.2.254");
  options.routes = {{IpNet::parse("0.0.0.0/0").value(), {}, 1400, 0, 0, {}, {}, {}}};
  options.resolv_conf = folder / "resolv.conf";
  sys::write_file_atomically(options.resolv_conf, "nameserver 192.0.2.53\n", 0600);

  const Result result = add("dummy");
  ASSERT_EQ(result.ips.size(), 2U);
  EXPECT_EQ(result.ips[0].address.str(), "10.1.2.1/24");
  EXPECT_EQ(result.ips[0].gateway, ip("10.1.2.254"));
  EXPECT_EQ(result.ips[0].interface, std::nullopt);
  EXPECT_EQ(result.ips[1].address.str(), "2001:db8:1::2/64");
  EXPECT_EQ(result.ips[1].gateway, ip("2001:db8:1::1"));
  EXPECT_TRUE(result.interfaces.empty());
  EXPECT_EQ(result.routes, options.routes);
  EXPECT_EQ(result.dns.nameservers, std::vector<string>{"192.0.2.53"});

  EXPECT_EQ(get("10.1.2.1"), "dummy\r\neth0");
  EXPECT_EQ(get("2001:db8:1::2"), "dummy\r\neth0");
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.1");
  EXPECT_EQ(get("last_reserved_ip.1"), "2001:db8:1::2");
  EXPECT_EQ(host.records,
            (std::vector{undo_of("10.1.2.1", "dummy"), undo_of("2001:db8:1::2", "dummy")}));
}

TEST_F(HostLocalTest, RoundRobinUntilExhausted) {
  options.subnet = IpNet::parse("10.1.2.0/29");
  for (const char* host_part : {"2", "3", "4", "5", "6"}) {
    EXPECT_EQ(try_add(string("c") + host_part), string("10.1.2.") + host_part + "/29");
  }
  const Error full = error_of([&] { add("c7"); });
  EXPECT_EQ(
      full.msg(),
      "failed to allocate for range 0: no IP addresses available in range set: 10.1.2.1-10.1.2.6 "
      "(5 of 5 used)");
  EXPECT_NE(full.details().find(path("").substr(0, path("").size() - 1)), string::npos);
  del("c3");
  del("c5");
  EXPECT_EQ(try_add("c8"), "10.1.2.3/29");
  EXPECT_EQ(try_add("c9"), "10.1.2.5/29");
}

TEST_F(HostLocalTest, FreedAddressIsNotReusedBeforeTheWrap) {
  options.subnet = IpNet::parse("10.1.2.0/29");
  EXPECT_EQ(try_add("a"), "10.1.2.2/29");
  del("a");
  EXPECT_EQ(try_add("b"), "10.1.2.3/29");
  put("last_reserved_ip.0", "10.1.2.6\n");  // malformed: from the start
  EXPECT_EQ(try_add("c"), "10.1.2.2/29");
}

TEST_F(HostLocalTest, RangesOfASetFollowEachOther) {
  options.ranges = {{subnet("10.1.2.0/30"), subnet("10.1.3.0/30")}};
  EXPECT_EQ(try_add("a"), "10.1.2.2/30");
  const Result second = add("b");
  EXPECT_EQ(second.ips.at(0).address.str(), "10.1.3.2/30");
  EXPECT_EQ(second.ips.at(0).gateway, ip("10.1.3.1"));
  EXPECT_EQ(try_add("c"),
            "failed to allocate for range 0: no IP addresses available in range set: "
            "10.1.2.1-10.1.2.2,10.1.3.1-10.1.3.2 (2 of 2 used)");
}

TEST_F(HostLocalTest, WantedAddressIsGivenOnce) {
  options.ranges = {{subnet("10.1.2.0/24")}, {subnet("2001:db8::/64")}};
  options.runtime_ips = {"2001:db8::77", "10.1.2.200/24"};
  EXPECT_EQ(try_add("a"), "10.1.2.200/24 2001:db8::77/64");
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.200");
  host.records.clear();
  EXPECT_EQ(try_add("b"),
            "failed to allocate for range 0: requested IP address 10.1.2.200 is not available in "
            "range set "
            "10.1.2.1-10.1.2.254");
  EXPECT_TRUE(host.records.empty());
  options.runtime_ips = {"10.1.2.1"};
  EXPECT_EQ(try_add("b"),
            "failed to allocate for range 0: requested ip 10.1.2.1 is subnet's gateway");
  options.runtime_ips = {"10.1.2.201", "10.9.9.9"};
  EXPECT_EQ(try_add("b"), "failed to allocate all requested IPs: 10.9.9.9");
  EXPECT_EQ(get("10.1.2.201"), "(absent)");
}

TEST_F(HostLocalTest, RepeatedAddIsRefusedAndTouchesNothing) {
  options.ranges = {{subnet("10.1.2.0/24")}, {subnet("2001:db8::/64")}};
  add("dummy");
  host.records.clear();
  EXPECT_EQ(try_add("dummy"),
            "failed to allocate for range 0: 10.1.2.2 has been allocated to dummy, duplicate "
            "allocation is not "
            "allowed");
  EXPECT_TRUE(host.records.empty());
  EXPECT_EQ(get("10.1.2.2"), "dummy\r\neth0");
  EXPECT_EQ(get("2001:db8::2"), "dummy\r\neth0");
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.2");
  EXPECT_EQ(try_add("dummy", "eth1"), "10.1.2.3/24 2001:db8::3/64");
  EXPECT_EQ(try_add("other", "eth0"), "10.1.2.4/24 2001:db8::4/64");
}

TEST_F(HostLocalTest, RepeatedAddIsSeenInALaterSetBeforeAnythingIsReserved) {
  options.ranges = {{subnet("10.1.2.0/24")}, {subnet("2001:db8::/64")}};
  put("2001:db8::9", "dummy\r\neth0");
  EXPECT_EQ(try_add("dummy"),
            "failed to allocate for range 1: 2001:db8::9 has been allocated to dummy, duplicate "
            "allocation is not "
            "allowed");
  EXPECT_EQ(get("last_reserved_ip.0"), "(absent)");
  EXPECT_EQ(get("2001:db8::9"), "dummy\r\neth0");
}

TEST_F(HostLocalTest, OldFormatCountsAsADuplicate) {
  options.ranges = {{subnet("10.1.2.0/24")}};
  put("10.1.2.9", "dummy");
  EXPECT_EQ(try_add("dummy", "eth7"),
            "failed to allocate for range 0: 10.1.2.9 has been allocated to dummy, duplicate "
            "allocation is not "
            "allowed");
  del("dummy", "eth7");
  EXPECT_EQ(get("10.1.2.9"), "(absent)");
}

TEST_F(HostLocalTest, FailedAddGivesBackOnlyItsOwn) {
  options.ranges = {{subnet("10.1.2.0/24")}, {subnet("10.1.3.0/30")}};
  put("10.1.3.2", "other\r\neth0");  // set 1 is full
  put("10.9.9.9", "dummy\r\neth0");  // of an earlier configuration
  EXPECT_EQ(
      try_add("dummy"),
      "failed to allocate for range 1: no IP addresses available in range set: 10.1.3.1-10.1.3.2 "
      "(1 of 1 used)");
  EXPECT_EQ(get("10.1.2.2"), "(absent)");
  EXPECT_EQ(get("10.9.9.9"), "dummy\r\neth0");
  EXPECT_EQ(get("10.1.3.2"), "other\r\neth0");
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.2");  // the cursor stays advanced
  EXPECT_EQ(host.records, std::vector{undo_of("10.1.2.2", "dummy")});
}

TEST_F(HostLocalTest, PowerCutFilesDontBlock) {
  options.subnet = IpNet::parse("10.1.2.0/29");
  put("10.1.2.2", "");
  put("10.1.2.3", string(16, '\0'));
  EXPECT_EQ(try_add("a"), "10.1.2.2/29");
  EXPECT_EQ(try_add("b"), "10.1.2.3/29");
  EXPECT_EQ(get("10.1.2.3"), "b\r\neth0");
}

TEST_F(HostLocalTest, NothingIsMadeForARefusedConfiguration) {
  EXPECT_EQ(try_add(), "no IP ranges specified");
  options.subnet = IpNet::parse("10.1.2.3/24");
  EXPECT_EQ(try_add(),
            "invalid range set 0: Network has host bits set. For a subnet mask of length 24 the "
            "network address is "
            "10.1.2.0");
  options.subnet = IpNet::parse("10.1.2.0/24");
  options.resolv_conf = folder / "none";
  EXPECT_NE(try_add().find(folder / "none"), string::npos);
  options.data_dir = "relative";
  EXPECT_TRUE(error_of([&] { add(); }).is(Code::invalid_config));
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
  EXPECT_TRUE(host.records.empty());
}

TEST_F(HostLocalTest, DelSucceedsWhateverIsLeft) {
  options.subnet = IpNet::parse("10.1.2.0/24");
  del();
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
  add("a");
  del("b");
  EXPECT_EQ(get("10.1.2.2"), "a\r\neth0");
  options.subnet = IpNet::parse("10.1.2.3/31");  // would be refused
  options.cni_args_ip = "rubbish";
  del("a");
  del("a");
  EXPECT_EQ(get("10.1.2.2"), "(absent)");
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.2");
  EXPECT_TRUE(host.lines.empty());
  options.data_dir = "../elsewhere";
  del("a");
  EXPECT_EQ(host.lines.size(), 1U);
}

TEST_F(HostLocalTest, DelReleasesAllAddressesOfTheInterfaceOnly) {
  options.ranges = {{subnet("10.1.2.0/24")}, {subnet("2001:db8::/64")}};
  add("a", "eth0");
  add("a", "eth1");
  del("a", "eth0");
  EXPECT_EQ(get("10.1.2.2"), "(absent)");
  EXPECT_EQ(get("2001:db8::2"), "(absent)");
  EXPECT_EQ(get("10.1.2.3"), "a\r\neth1");
  EXPECT_EQ(get("2001:db8::3"), "a\r\neth1");
}

TEST_F(HostLocalTest, CheckLooksForTheReservation) {
  options.ranges = {{subnet("10.1.2.0/24")}, {subnet("2001:db8::/64")}};
  const Error never = error_of([&] { check(); });
  EXPECT_EQ(never.msg(), "Failed to find address added by container ctr1");
  EXPECT_NE(never.details().find("run DEL, then ADD"), string::npos);
  EXPECT_FALSE(std::filesystem::exists(data_dir()));

  call.prev_result = add();
  check();
  call.prev_result->ips.push_back(
      {IpNet::parse("192.0.2.1/24").value(), {}, {}, {}});  // somebody else's
  check();
  std::filesystem::remove(path("2001:db8::2"));
  const Error missing = error_of([&] { check(); });
  EXPECT_EQ(missing.msg(),
            "address 2001:db8::2 of prevResult is not reserved for container ctr1, interface eth0");
  put("2001:db8::2", "other\r\neth0");
  EXPECT_EQ(error_of([&] { check(); }).msg(), missing.msg());
  call.prev_result.reset();
  check();
}

TEST_F(HostLocalTest, GcKeepsWhatIsListed) {
  options.subnet = IpNet::parse("10.1.2.0/24");
  add("a", "eth0");
  add("a", "eth1");
  add("b", "eth0");
  put("10.1.2.100", "old");
  put("10.1.2.101", "oldgone");
  put("10.9.9.9", "c\r\neth0");  // outside the ranges of today, but of this network
  sys::ensure_folder(data_dir() + "/othernet", 0755);
  sys::create_file(data_dir() + "/othernet/10.1.2.2", "c\r\neth0", 0600);

  call.valid_attachments = {{"a", "eth1"}, {"old", "eth5"}, {"unknown", "eth0"}};
  gc();
  EXPECT_EQ(get("10.1.2.2"), "(absent)");
  EXPECT_EQ(get("10.1.2.3"), "a\r\neth1");
  EXPECT_EQ(get("10.1.2.4"), "(absent)");
  EXPECT_EQ(get("10.1.2.100"), "old");
  EXPECT_EQ(get("10.1.2.101"), "(absent)");
  EXPECT_EQ(get("10.9.9.9"), "(absent)");
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.4");
  EXPECT_EQ(get("lock"), "");
  EXPECT_EQ(sys::read_file(data_dir() + "/othernet/10.1.2.2"), "c\r\neth0");

  call.valid_attachments.emplace();
  gc();
  EXPECT_EQ(get("10.1.2.3"), "(absent)");
  EXPECT_EQ(get("10.1.2.100"), "(absent)");
}

TEST_F(HostLocalTest, GcWithoutAListRemovesNothing) {
  put("10.1.2.2", "a\r\neth0");
  call.valid_attachments.reset();
  const Error error = error_of([&] { gc(); });
  EXPECT_TRUE(error.is(Code::invalid_config));
  EXPECT_NE(error.details().find("cni.dev/valid-attachments"), string::npos);
  EXPECT_TRUE(error_of([&] { module->gc(call, host); }).is(Code::invalid_config));
  EXPECT_EQ(get("10.1.2.2"), "a\r\neth0");
}

TEST_F(HostLocalTest, GcWithoutAFolderMakesNone) {
  call.valid_attachments.emplace();
  gc();
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
}

TEST_F(HostLocalTest, GcRemovesFilesOfNobodyAfterTenSeconds) {
  put("10.1.2.2", "");
  put("10.1.2.3", string(3, '\0'));
  put("10.1.2.4", "");
  const std::time_t when = std::time(nullptr) - 60;
  const utimbuf times{when, when};
  ASSERT_EQ(::utime(path("10.1.2.2").c_str(), &times), 0);
  ASSERT_EQ(::utime(path("10.1.2.3").c_str(), &times), 0);
  call.valid_attachments.emplace();
  gc();
  EXPECT_EQ(get("10.1.2.2"), "(absent)");
  EXPECT_EQ(get("10.1.2.3"), "(absent)");
  EXPECT_EQ(get("10.1.2.4"), "");
}

TEST_F(HostLocalTest, StatusTellsWhenASetIsExhausted) {
  options.ranges = {{subnet("2001:db8::/64")}, {subnet("10.1.2.0/30"), subnet("10.1.3.0/30")}};
  status();
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
  add("a");
  status();
  add("b");
  const Error error = error_of([&] { status(); });
  EXPECT_TRUE(error.is(Code::not_available));
  EXPECT_EQ(
      error.msg(),
      "no IP addresses available in range set: 10.1.2.1-10.1.2.2,10.1.3.1-10.1.3.2 (2 of 2 used)");
  EXPECT_NE(error.details().find("set 0: 2001:db8::1-2001:db8::ffff:ffff:ffff:ffff 2/"),
            string::npos);
  EXPECT_NE(error.details().find("set 1: 10.1.2.1-10.1.2.2,10.1.3.1-10.1.3.2 2/2 used"),
            string::npos);
  del("a");
  status();
  put("10.1.2.2", "");  // free for the next ADD
  status();
}

TEST_F(HostLocalTest, StatusWithoutRangesLooksAtTheFolderOnly) {
  status();  // the ranges may come with a capability, which STATUS doesn't get
  options.data_dir = folder / "file";
  sys::write_file_atomically(options.data_dir, "", 0600);
  const Error error = error_of([&] { status(); });
  EXPECT_TRUE(error.is(Code::not_available));
  EXPECT_NE(error.msg().find(options.data_dir), string::npos);
}

TEST_F(HostLocalTest, SixtyFourProcessesAtOnce) {
  options.subnet = IpNet::parse("10.1.2.0/24");
  call.deadline += std::chrono::seconds(60);
  at_once(64, [&](int i) {
    const string container = "c" + std::to_string(i);
    add(container);
    if (i % 2 == 0) {
      del(container);
      add(container);
    }
    return true;
  });
  ipam::Store store(data_dir(), "mynet", call.deadline, false);
  std::set<string> owners;
  const std::vector<ipam::Reservation> all = store.list();
  for (const ipam::Reservation& each : all) owners.insert(each.container_id);
  EXPECT_EQ(all.size(), 64U);
  EXPECT_EQ(owners.size(), 64U);
}

}  // namespace
}  // namespace unicni::host_local::host_local_test
