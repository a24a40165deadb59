// What servers change at a renewal, and the options that the result has no place for.
#include <map>
#include <mutex>
#include <regex>
#include <set>

#include "integration/dhcp_liar.h"
#include "integration/journal_line.h"

namespace unicni::test::dhcp_change_test {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// T1 is a second, T2 50.
const DhcpBytes kTimes{58, 4, 0, 0, 0, 1, 59, 4, 0, 0, 0, 50};
const DhcpBytes kRouter{3, 4, 10, 1, 2, 1};

class DhcpChange : public DhcpTest {
 protected:
  /// What the server says from now on.
  void say(DhcpBytes options, std::uint8_t host = 50, const DhcpBytes& times = kTimes) {
    const std::lock_guard lock(mutex_);
    options_ = times;
    options_.insert(options_.end(), options.begin(), options.end());
    options_.push_back(255);
    host_ = host;
    asked_ = 0;
  }
  /// Whoever was answered so far keeps his address: what is said from now on is for others.
  void pin() {
    const std::lock_guard lock(mutex_);
    pinned_ = answered_;
  }
  /// The third byte of its mask.
  void say_mask(std::uint8_t third) {
    const std::lock_guard lock(mutex_);
    third_ = third;
    asked_ = 0;
  }
  /// From now on it says nothing that a client understands.
  void hush() {
    const std::lock_guard lock(mutex_);
    options_ = {255};
    broadcast_asked_ = false;
  }
  /// A client asked since for answers to all (flag B).
  [[nodiscard]] bool is_asked_by_broadcast() {
    return soon([&] {
      const std::lock_guard lock(mutex_);
      return broadcast_asked_;
    });
  }
  /// It was asked twice since, so what it said the first time is done.
  [[nodiscard]] bool is_renewed() {
    return soon([&] {
      const std::lock_guard lock(mutex_);
      return asked_ >= 2;
    });
  }
  [[nodiscard]] std::string listed() const { return tool({bin_dir() + "/dhcp", "leases"}).out; }

 private:
  DhcpBytes answer(const DhcpBytes& request) {
    const std::lock_guard lock(mutex_);
    ++asked_;
    broadcast_asked_ = broadcast_asked_ || (request[10] & 0x80U) != 0;
    if (options_.size() == 1) return {};
    DhcpBytes reply = reply_with(request, options_);
    const DhcpBytes client(request.begin() + 28, request.begin() + 34);  // chaddr
    const auto own = pinned_.find(client);
    reply[19] = own == pinned_.end() ? host_ : own->second;
    answered_[client] = reply[19];
    reply[259] = third_;
    return reply;
  }
  std::mutex mutex_;
  DhcpBytes options_;
  std::map<DhcpBytes, std::uint8_t> answered_;
  std::map<DhcpBytes, std::uint8_t> pinned_;
  std::uint8_t host_ = 50;
  std::uint8_t third_ = 255;
  int asked_ = 0;
  bool broadcast_asked_ = false;
  Liar server_{outside_.fd(), [this](const DhcpBytes& request) { return answer(request); }};
};

DhcpBytes joined(std::initializer_list<DhcpBytes> all) {
  DhcpBytes bytes;
  for (const DhcpBytes& each : all) bytes.insert(bytes.end(), each.begin(), each.end());
  return bytes;
}

TEST_F(DhcpChange, RoutesOfARenewalReplaceThoseOfAdd) {
  say(kRouter);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24"));
  say({121, 8, 16, 10, 99, 10, 1, 2, 9, 0, 121, 4, 10, 1, 2, 7});  // in two parts
  ASSERT_TRUE(is_renewed());
  EXPECT_THAT(routes_of(netns(job)),
              ElementsAre("default via 10.1.2.7", "10.1.2.0/24", "10.99.0.0/16 via 10.1.2.9"));
  expect_silent_success(job.check(result));
  container_of(job).run({"ip", "route", "del", "10.99.0.0/16"});
  const Json error = expect_error(job.check(result));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("10.99.0.0/16"));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpChange, ARouteWithoutRouterIsOnTheLinkAndOthersMayGoThroughIt) {
  // RFC 3442: the default route stands before the one that makes its gateway a neighbour.
  say({121, 21, 0, 10, 9, 0, 1, 32, 10, 9, 0, 1, 0, 0, 0, 0, 16, 172, 16, 0, 0, 0, 0});
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_THAT(routes_of(netns(job)),
              ElementsAre("default via 10.9.0.1", "10.1.2.0/24", "10.9.0.1", "172.16.0.0/16"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpChange, RoutesThatAnotherPluginHasMovedStayAsTheyAre) {
  say(kRouter);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  container_of(job).run({"ip", "route", "del", "default"});
  container_of(job).run({"ip", "route", "add", "default", "via", "10.1.2.1", "table", "100"});
  say({3, 4, 10, 1, 2, 7});
  ASSERT_TRUE(is_renewed());
  EXPECT_EQ(container_of(job).run({"ip", "route", "show", "default"}).out, "");
  EXPECT_THAT(container_of(job).run({"ip", "route", "show", "table", "100"}).out,
              HasSubstr("via 10.1.2.1"));
  expect_silent_success(job.check(result));
}

/// An address that a later plugin of the list has added is no renewal.
TEST_F(DhcpChange, ALostRouteIsSeenBesideAnotherPluginsAddress) {
  say(kRouter);
  const Attachment job = attachment(config());
  Json result = must_add(job);
  result["interfaces"].push_back({{"name", "net7"}, {"sandbox", job.netns}});
  result["ips"].push_back(
      {{"address", "10.99.0.2/24"}, {"interface", result["interfaces"].size() - 1}});
  expect_silent_success(job.check(result));
  container_of(job).run({"ip", "route", "del", "default"});
  expect_error(job.check(result));
}

TEST_F(DhcpChange, TheMtuOfARenewalIsSetAndNeverAboveTheLinks) {
  const auto mtu = [](std::uint8_t high, std::uint8_t low) { return DhcpBytes{26, 2, high, low}; };
  say(mtu(5, 120));
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_EQ(result["interfaces"][0]["mtu"], 1400);
  const auto now = [&] { return (*find_link("eth0", netns(job)))["mtu"].get<int>(); };
  say(mtu(5, 20));
  ASSERT_TRUE(is_renewed());
  EXPECT_EQ(now(), 1300);
  expect_silent_success(job.check(result));
  say(mtu(9, 0));
  ASSERT_TRUE(is_renewed());
  EXPECT_EQ(now(), 1500) << "what it had before";
  expect_silent_success(job.check(result));
  container_of(job).run({"ip", "link", "set", "eth0", "mtu", "1200"});
  say(mtu(5, 120));
  ASSERT_TRUE(is_renewed());
  EXPECT_EQ(now(), 1200) << "others have set it";
  expect_error(job.check(result));
}

/// Below 1280 the kernel takes all IPv6 addresses off an interface, whoever gave them.
TEST_F(DhcpChange, TheMtuOfARenewalTakesNoIPv6Away) {
  say({});
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  container_of(job).run({"sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=0"});
  container_of(job).run({"ip", "addr", "add", "2001:db8::9/64", "dev", "eth0", "nodad"});
  const auto now = [&] { return (*find_link("eth0", netns(job)))["mtu"].get<int>(); };
  say({26, 2, 3, 232});
  ASSERT_TRUE(is_renewed());
  EXPECT_EQ(now(), 1280);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ::testing::Contains("2001:db8::9/64"));
  container_of(job).run({"ip", "addr", "del", "2001:db8::9/64", "dev", "eth0"});
  say({26, 2, 0, 68});
  ASSERT_TRUE(is_renewed());
  EXPECT_EQ(now(), 576) << "what a message of DHCP needs";
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpChange, AnotherAddressOfTheSubnetTakesTheOldOnesPlaceWithAllRoutes) {
  say(kRouter);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_EQ(address_in(result), "10.1.2.50/24");
  container_of(job).run({"sysctl", "-qw", "net.ipv4.conf.eth0.promote_secondaries=0",
                         "net.ipv4.conf.all.promote_secondaries=0"});
  container_of(job).run({"ip", "route", "add", "10.77.0.0/16", "via", "10.1.2.77"});
  say(kRouter, 51);
  ASSERT_TRUE(is_renewed());
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.2.51/24"));
  EXPECT_THAT(routes_of(netns(job)),
              ElementsAre("default via 10.1.2.1", "10.1.2.0/24", "10.77.0.0/16 via 10.1.2.77"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpChange, WhatOtherPluginsMadeForAnAddressThatWasReplacedIsToldByTheirCheck) {
  say(kRouter);
  tool({"ip", "link", "add", "br7", "type", "bridge"});
  tool({"ip", "link", "set", "br7", "up"});
  tool({"ip", "link", "set", "up0", "master", "br7"});
  std::vector<Attachment> members{
      attachment(config(R"({"type": "bridge", "bridge": "br7", "ipMasq": true, "master": null})"))};
  Json result = must_add(members.front());
  for (const char* text :
       {R"({"type": "firewall"})", R"({"type": "firewall", "backend": "iptables"})",
        R"({"type": "portmap", "runtimeConfig":
            {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}})",
        R"({"type": "sbr"})", R"({"type": "tuning", "mtu": 1400})"}) {
    Attachment next = members.front();
    next.config = Json::parse(text);
    next.config.update({{"cniVersion", "1.1.0"},
                        {"name", members.front().config["name"]},
                        {"prevResult", result}});
    result = must_add(next);
    members.push_back(next);
  }
  for (const Attachment& each : members) expect_silent_success(each.check(result));
  say(kRouter, 51);
  ASSERT_TRUE(is_renewed());
  for (const Attachment& each : members) {
    const std::string type = each.config["type"];
    SCOPED_TRACE(each.config.dump());
    if (type == "tuning") {
      expect_silent_success(each.check(result));
      continue;
    }
    const Json error = expect_error(each.check(result));
    EXPECT_THAT(error["msg"].get<std::string>(),
                HasSubstr("10.1.2.50 became 10.1.2.51 at a renewal of the DHCP lease, which " +
                          type + " doesn't follow: "));
    EXPECT_THAT(error["details"].get<std::string>(), HasSubstr("DEL and ADD the attachment again"));
  }
  for (auto each = members.rbegin(); each != members.rend(); ++each) {
    const Output gone = each->del(result);
    expect_silent_success(gone);
    EXPECT_EQ(gone.err, "") << each->config.dump();
  }
  tool({"ip", "link", "del", "br7"});
}

/// A relay answers to the MAC that a packet names, which isn't the link's any more.
TEST_F(DhcpChange, ARebindingUnderAnotherMacAsksForAnswersToAll) {
  for (const bool changes : {false, true}) {
    say(kRouter, 50, {58, 4, 0, 0, 0, 1, 59, 4, 0, 0, 0, 2});
    const Attachment job = attachment(config(), changes ? "c1" : "c2");
    must_add(job);
    if (changes) {
      container_of(job).run({"ip", "link", "set", "eth0", "address", "02:00:00:00:77:01"});
    }
    hush();
    EXPECT_EQ(is_asked_by_broadcast(), changes);
    EXPECT_TRUE(job.del().ok());
  }
}

/// c1 had .50 until a renewal gave it .51, and c2 gets .50. Both have a bridge's masquerade,
/// checked ports and published ports.
class DhcpHandedOn : public DhcpChange {
 protected:
  DhcpHandedOn() {
    tool({"ip", "link", "add", "br7", "type", "bridge"});
    tool({"ip", "link", "set", "br7", "up"});
    tool({"ip", "link", "set", "up0", "master", "br7"});
    say(kRouter);
    add(c1_, "c1", 8080);
    say(kRouter, 51);
    EXPECT_TRUE(is_renewed());
    pin();
    say(kRouter);
    add(c2_, "c2", 8081);
    EXPECT_EQ(address_in(c2_.result), "10.1.2.50/24");
  }
  ~DhcpHandedOn() override { succeeds({"ip", "link", "del", "br7"}); }

  struct Chain {
    std::vector<Attachment> members;
    Json result;
  };
  static void check(const Chain& chain) {
    for (const Attachment& each : chain.members) {
      SCOPED_TRACE(each.config.dump());
      expect_silent_success(each.check(chain.result));
    }
  }
  static void del(const Chain& chain) {
    for (auto each = chain.members.rbegin(); each != chain.members.rend(); ++each) {
      const Output gone = each->del(chain.result);
      expect_silent_success(gone);
      EXPECT_EQ(gone.err, "") << each->config.dump();
    }
  }
  /// Whose comments stand at elements with the address in their keys.
  static std::set<std::string> owners_of_50() {
    const std::string table = tool({"nft", "list", "table", "inet", "unicni"}).out;
    const std::regex element("10\\.1\\.2\\.50[^,}:]* comment \"net/(c.)/eth0\"");
    std::set<std::string> owners;
    for (std::sregex_iterator found(table.begin(), table.end(), element), end; found != end;
         ++found) {
      owners.insert((*found)[1]);
    }
    return owners;
  }
  Chain c1_;
  Chain c2_;

 private:
  void add(Chain& chain, const std::string& name, int host_port) {
    const Json ports = {{{"hostPort", host_port}, {"containerPort", 80}, {"protocol", "tcp"}}};
    chain.members = {attachment(
        config(R"({"type": "bridge", "bridge": "br7", "ipMasq": true, "master": null})"), name)};
    chain.result = must_add(chain.members.front());
    for (const Json& more :
         {Json{{"type", "firewall"}, {"ingressPolicy", "same-bridge"}},
          Json{{"type", "portmap"}, {"runtimeConfig", {{"portMappings", ports}}}}}) {
      Attachment next = chain.members.front();
      next.config = more;
      next.config.update({{"cniVersion", "1.1.0"}, {"name", "net"}, {"prevResult", chain.result}});
      chain.result = must_add(next);
      chain.members.push_back(next);
    }
  }
};

TEST_F(DhcpHandedOn, AnAddressThatARenewalReplacedIsItsNextOwnersWhateverTheFirstOneLeft) {
  check(c2_);
  EXPECT_THAT(owners_of_50(), ElementsAre("c2"));
  del(c1_);
  check(c2_);
  EXPECT_THAT(owners_of_50(), ElementsAre("c2"));
  del(c2_);
  EXPECT_THAT(tool({"nft", "list", "ruleset"}).out, Not(HasSubstr("elements = ")));
}

TEST_F(DhcpHandedOn, ARulesetThatIsMadeAnewHasWhatTheOwnerByNowNeeds) {
  // A folder lists what came last first, or last.
  for (const char* last : {"c1", "c2"}) {
    const std::string journal = std::string(kJournals) + "/net:" + last + ":eth0";
    std::filesystem::rename(journal, "/run/unicni/moved");
    std::filesystem::rename("/run/unicni/moved", journal);
    tool({"nft", "flush", "ruleset"});
    expect_silent_success(c2_.members.front().status());
    check(c2_);
    EXPECT_THAT(owners_of_50(), ElementsAre("c2")) << last;
  }
  del(c1_);
  del(c2_);
  EXPECT_THAT(tool({"nft", "list", "ruleset"}).out, Not(HasSubstr("elements = ")));
}

TEST_F(DhcpHandedOn, WhoHadTheAddressFirstGoesLastAndLeavesNothing) {
  del(c2_);
  EXPECT_THAT(owners_of_50(), IsEmpty());
  for (const Attachment& each : c1_.members) expect_error(each.check(c1_.result));
  del(c1_);
  EXPECT_THAT(tool({"nft", "list", "ruleset"}).out, Not(HasSubstr("elements = ")));
}

TEST_F(DhcpChange, AnotherMaskIsSetAndWhatCheckLooksFor) {
  say(kRouter);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  say_mask(0);
  ASSERT_TRUE(is_renewed());
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.2.50/16"));
  expect_silent_success(job.check(result));
  container_of(job).run({"ip", "addr", "add", "10.1.2.50/24", "dev", "eth0"});
  container_of(job).run({"ip", "addr", "del", "10.1.2.50/16", "dev", "eth0"});
  EXPECT_THAT(expect_error(job.check(result))["msg"].get<std::string>(),
              HasSubstr("10.1.2.50/16, which IPAM dhcp has for it by now, is missing"));
}

/// Where the folder couldn't be written, the file is older than the last renewal.
TEST_F(DhcpChange, ALeaseThatIsOverByItsFileAloneIsKept) {
  say(kRouter);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  container_of(job).run({"ip", "route", "add", "10.77.0.0/16", "via", "10.1.2.77"});
  kill_dhcp_daemons();
  const std::string file = std::string(kLeases) + "/net:c1:eth0";
  std::string line = read_file(file);
  line.resize(line.rfind(" #"));
  for (const char* key : {" t1=", " t2=", " expires="}) {
    const std::size_t at = line.find(key) + std::char_traits<char>::length(key);
    line.replace(at, line.find(' ', at) - at, "1");
  }
  write_file(file, journal_line(line));
  expect_silent_success(job.status());
  EXPECT_TRUE(soon([&] { return job.check(result).ok(); }));
  EXPECT_THAT(container_of(job).run({"ip", "route"}).out, HasSubstr("10.77.0.0/16"))
      << "would have gone with the address";
}

TEST_F(DhcpChange, ADaemonThatWasKilledWhileItAppliedAChangeBeginsThatAgain) {
  say(kRouter);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  // As the file is between the renewal that gave .51 and what it does to the interface.
  const std::string file = std::string(kLeases) + "/net:c1:eth0";
  std::string line = read_file(file);
  line.resize(line.rfind(" #"));
  const auto replace = [&](const std::string& from, const std::string& to) {
    ASSERT_NE(line.find(from), std::string::npos) << line;
    line.replace(line.find(from), from.size(), to);
  };
  replace(" address=10.1.2.50/24", " address=10.1.2.51/24");
  replace(" applying=0 replaced=", " applying=1 replaced=10.1.2.50/24");
  write_file(file, journal_line(line));
  say(kRouter, 51);
  expect_silent_success(job.check(result));
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.2.51/24"));
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24"));
  EXPECT_THAT(read_file(file), HasSubstr(" applying=0 "));
}

TEST_F(DhcpChange, WhatTheResultHasNoPlaceForIsListed) {
  const DhcpBytes name{12, 4, 'd', 'b', '-', '0'};
  say(joined({name, {42, 8, 10, 1, 2, 3, 10, 1, 2, 4}, {6, 4, 10, 1, 2, 5}}));
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_THAT(listed(), HasSubstr("net/c1/eth0: 10.1.2.50/24 from 10.1.2.1, renewed in "));
  EXPECT_THAT(listed(), HasSubstr("\n  host name db-0\n  NTP 10.1.2.3 10.1.2.4\n  DNS 10.1.2.5\n"));
  say(joined({name, {6, 4, 10, 1, 2, 6}}));
  ASSERT_TRUE(is_renewed());
  EXPECT_THAT(listed(), HasSubstr("\n  host name db-0\n  DNS 10.1.2.6\n"));
  EXPECT_THAT(listed(), Not(HasSubstr("NTP")));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(listed(), "");
}

TEST_F(DhcpChange, TheServersBroadcastAddressIsTheInterfacesIfItCanBe) {
  const auto broadcast = [&](DhcpBytes options, const std::string& name) {
    say(std::move(options));
    const Attachment job = attachment(config(), name);
    const Json result = must_add(job);
    expect_silent_success(job.check(result));
    const Json links =
        Json::parse(container_of(job).run({"ip", "-j", "-4", "addr", "show", "dev", "eth0"}).out);
    expect_silent_success(job.del(result));
    return links[0]["addr_info"][0].value("broadcast", "");
  };
  EXPECT_EQ(broadcast({}, "c1"), "10.1.2.255");
  EXPECT_EQ(broadcast({28, 4, 10, 1, 2, 63}, "c2"), "10.1.2.63");
  EXPECT_EQ(broadcast({28, 4, 255, 255, 255, 255}, "c3"), "255.255.255.255");
  EXPECT_EQ(broadcast({28, 4, 8, 8, 8, 8}, "c4"), "10.1.2.255") << "would be unreachable from then";
  EXPECT_EQ(broadcast({28, 4, 10, 1, 2, 50}, "c5"), "10.1.2.255") << "its own address";
}

}  // namespace
}  // namespace unicni::test::dhcp_change_test
