// firewall on a host where the real firewalld runs, with packets: backend firewalld, and the
// default, whose gate opens firewalld's own chain.
#include "support/firewalld.h"

#include "integration/firewall_host.h"
#include "support/tracer.h"

namespace unicni::test::firewalld_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(FirewalldFixture, RunsItsTableIsThereAndReloadForgetsSources) {
  const Sandbox sandbox;
  {
    Firewalld firewalld;
    EXPECT_THAT(tool({"nft", "list", "tables"}).out, HasSubstr("inet firewalld"));
    firewalld.add_source("trusted", "10.1.0.2/32");
    firewalld.add_source("trusted", "10.1.0.10/32");
    EXPECT_THAT(firewalld.list_sources("trusted"), ElementsAre("10.1.0.10/32", "10.1.0.2/32"));
    firewalld.remove_source("trusted", "10.1.0.10/32");
    EXPECT_THAT(firewalld.list_sources("trusted"), ElementsAre("10.1.0.2/32"));
    firewalld.reload();
    EXPECT_THAT(firewalld.list_sources("trusted"), IsEmpty());
    firewalld.stop();
    EXPECT_THAT(tool({"nft", "list", "tables"}).out, Not(HasSubstr("firewalld")));
    firewalld.start();
    EXPECT_THAT(firewalld.list_sources("trusted"), IsEmpty());
  }
  EXPECT_EQ(tool({"nft", "list", "tables"}).out, "");
}

class FirewalldHost : public Firewall {
 protected:
  static Json zone(const std::string& name, int subnet, Json options = Json::object()) {
    options["backend"] = "firewalld";
    return list(name, subnet, options);
  }
  static Attachment nobody(const Json& config) {
    Attachment call;
    call.config = config;
    return call;
  }
  /// A port of the host that firewalld wasn't told to open.
  bool reaches_host(const Attachment& from) {
    const int netns = container_of(from).fd();
    return !source_seen(netns, sandbox_.netns(), "198.51.100.1", 5555).empty();
  }
  /// firewall called by itself behind a plugin that gave "ips" (or 10.1.0.2/24).
  static Json firewall_alone(const std::string& options) {
    Json config = {{"cniVersion", "1.0.0"},
                   {"name", "alone"},
                   {"type", "firewall"},
                   {"backend", "firewalld"},
                   {"ips", {{{"address", "10.1.0.2/24"}}}}};
    config.update(Json::parse(options));
    config["prevResult"] = {{"cniVersion", config["cniVersion"]}, {"ips", config["ips"]}};
    config.erase("ips");
    return config;
  }
  /// firewalld's table without counters and handles.
  static std::string table() {
    return tool({"nft", "-s", "list", "table", "inet", "firewalld"}).out;
  }
  static std::string tables() { return tool({"nft", "list", "tables"}).out; }

  Firewalld firewalld_;
};

using FirewalldBackend = FirewalldHost;

TEST_F(FirewalldBackend, AddressesAreSourcesOfTheZoneUntilDel) {
  Json without = list("br1", 1);
  without["plugins"].erase(1);
  const Attachment closed = added(without, "closed");
  EXPECT_FALSE(reaches(closed, "198.51.100.2")) << "bridge alone opens nothing";

  firewalld_.add_source("trusted", "192.0.2.9/32");  // a zone's chains stay when it was in use once
  firewalld_.remove_source("trusted", "192.0.2.9/32");
  const std::string before = table();
  const Attachment one = added(zone("br2", 2), "one");
  const Attachment other = added(zone("br3", 3), "other");
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre(address(one) + "/32", address(other) + "/32"));
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  EXPECT_TRUE(reaches(one, address(other))) << "of another network";
  EXPECT_FALSE(pings(outside_.fd(), address(one))) << "only answers come in";
  EXPECT_FALSE(reaches(closed, "198.51.100.2"));
  EXPECT_TRUE(reaches_host(one)) << "the zone trusted";
  EXPECT_THAT(tables(), Not(HasSubstr("unicni"))) << "no table of ours is needed";
  expect_silent_success(one.check(result_of(one)));

  for (const Attachment& each : {one, other}) {
    expect_silent_success(each.del(result_of(each)));
    expect_silent_success(each.del(result_of(each)));
  }
  EXPECT_THAT(firewalld_.list_sources(), IsEmpty());
  EXPECT_EQ(table(), before);
}

TEST_F(FirewalldBackend, BothFamiliesAndAnotherZone) {
  Json config = zone("br1", 1, {{"firewalldZone", "internal"}});
  config["plugins"][0]["ipam"] = {
      {"type", "host-local"},
      {"ranges", {{{{"subnet", "10.1.0.0/24"}}}, {{{"subnet", "fd00:1::/64"}}}}}};
  const Attachment job = added(config, "one");
  EXPECT_THAT(firewalld_.list_sources("internal"), ElementsAre("10.1.0.2/32", "fd00:1::2/128"));
  EXPECT_THAT(firewalld_.list_sources(), IsEmpty());
  container_of(job).remove();
  expect_silent_success(job.del());
  EXPECT_THAT(firewalld_.list_sources("internal"), IsEmpty());
}

TEST_F(FirewalldBackend, AnAddressThatIsThereAlreadyIsSuccess) {
  firewalld_.add_source("trusted", "10.1.0.2/32");
  const Attachment job = added(zone("br1", 1), "one");
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre("10.1.0.2/32"));
  firewalld_.remove_source("trusted", "10.1.0.2/32");
  expect_silent_success(job.del(result_of(job)));
}

TEST_F(FirewalldBackend, AReloadIsToldByCheckAndMendedByTheNextVerb) {
  const Json config = zone("br1", 1);
  const Attachment one = added(config, "one");
  const auto forget = [&] {
    firewalld_.reload();
    EXPECT_FALSE(reaches(one, "198.51.100.2"));
    EXPECT_THAT(expect_error(one.check(result_of(one)))["msg"],
                AllOf(HasSubstr("10.1.0.2/32"), HasSubstr("trusted")));
  };
  forget();
  const Attachment two = added(config, "two");
  EXPECT_TRUE(reaches(one, "198.51.100.2")) << "an ADD restores what all attachments had";
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre("10.1.0.2/32", "10.1.0.3/32"));
  forget();
  expect_silent_success(nobody(config).status());
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre("10.1.0.2/32", "10.1.0.3/32"));
  forget();
  expect_silent_success(nobody(config).gc(Json::array({valid_entry(one)})));
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre("10.1.0.2/32")) << "two wasn't valid";
  expect_silent_success(one.check(result_of(one)));
}

TEST_F(FirewalldBackend, GcRemovesSourcesOfTheDead) {
  const Json config = zone("br1", 1);
  const Attachment dead = added(config, "dead");
  const Attachment alive = added(config, "alive");
  container_of(dead).remove();
  expect_silent_success(nobody(config).gc(Json::array({valid_entry(alive)})));
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre(address(alive) + "/32"));
}

TEST_F(FirewalldBackend, ALateDelClosesNobodyElsesAddress) {
  const Json config = zone("br1", 1);
  const Attachment first = added(config, "first");
  container_of(first).remove();
  tool({"rm", "-r", "/var/lib/cni/networks/br1"});
  const Attachment second = added(config, "second");
  EXPECT_EQ(address(second), address(first));
  expect_silent_success(first.del(result_of(first)));
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre(address(second) + "/32"));
  expect_silent_success(first.del(result_of(first)));  // also when its journal is gone
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre(address(second) + "/32"));
  EXPECT_TRUE(reaches(second, "198.51.100.2"));
  expect_silent_success(second.del(result_of(second)));
  EXPECT_THAT(firewalld_.list_sources(), IsEmpty());
}

TEST_F(FirewalldBackend, AZoneThatIsNotThereIsNamedAndNothingIsLeft) {
  Attachment job = attachment(zone("br1", 1, {{"firewalldZone", "nowhere"}}));
  EXPECT_THAT(expect_error(job.add(), 7)["msg"],
              AllOf(HasSubstr("\"nowhere\""), HasSubstr("INVALID_ZONE")));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  EXPECT_EQ(find_link("br1"), std::nullopt);
  EXPECT_THAT(expect_error(nobody(job.config).status(), 50)["msg"], HasSubstr("nowhere"));
  expect_silent_success(job.del());
  job.config = zone("br1", 1, {{"firewalldZone", "a b"}});
  EXPECT_THAT(expect_error(job.add(), 7)["msg"], HasSubstr("firewalldZone: \"a b\""));
}

TEST_F(FirewalldBackend, AnAddressOfAnotherZoneIsRefusedAndStays) {
  firewalld_.add_source("drop", "10.1.0.2/32");
  const Attachment job = attachment(zone("br1", 1));
  const Json error = expect_error(job.add(), 7);
  EXPECT_THAT(error["msg"], AllOf(HasSubstr("10.1.0.2/32"), HasSubstr("\"drop\"")));
  EXPECT_THAT(error["details"], HasSubstr("--remove-source"));
  expect_silent_success(job.del());
  EXPECT_THAT(firewalld_.list_sources("drop"), ElementsAre("10.1.0.2/32"));
}

TEST_F(FirewalldBackend, AFailedAddTakesItsSourcesBack) {
  firewalld_.add_source("drop", "fd00:1::2/128");
  Json config = zone("br1", 1);
  config["plugins"][0]["ipam"] = {
      {"type", "host-local"},
      {"ranges", {{{{"subnet", "10.1.0.0/24"}}}, {{{"subnet", "fd00:1::/64"}}}}}};
  const Attachment job = attachment(config);
  EXPECT_THAT(expect_error(job.add(), 7)["msg"], HasSubstr("fd00:1::2/128"));
  EXPECT_THAT(firewalld_.list_sources(), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(FirewalldBackend, WithoutFirewalldAddSaysWhatToDoAndDelSucceeds) {
  const Json config = zone("br1", 1);
  const Attachment job = added(config, "one");
  firewalld_.stop();
  EXPECT_THAT(expect_error(nobody(config).status(), 50)["msg"], HasSubstr("isn't running"));
  EXPECT_THAT(expect_error(job.check(result_of(job)), 50)["msg"], HasSubstr("isn't running"));
  expect_silent_success(nobody(config).gc(Json::array({valid_entry(job)})));
  expect_silent_success(job.del(result_of(job)));
  const Attachment other = attachment(config, "other");
  const Json error = expect_error(other.add(), 50);
  EXPECT_THAT(error["msg"], HasSubstr("firewalld"));
  EXPECT_THAT(error["details"], HasSubstr("systemctl start firewalld"));
  EXPECT_THAT(reservations("br1"), IsEmpty());

  firewalld_.stop_bus();
  EXPECT_THAT(expect_error(other.add(), 50)["msg"], HasSubstr("D-Bus"));
  expect_silent_success(other.del());
}

TEST_F(FirewalldBackend, PoliciesAreElementsOfOurOwn) {
  const Json policy = {{"ingressPolicy", "same-bridge"}};
  const Attachment one = added(zone("br1", 1, policy), "one");
  const Attachment sibling = added(zone("br1", 1, policy), "sibling");
  const Attachment other = added(zone("br2", 2, policy), "other");
  EXPECT_TRUE(reaches(one, address(sibling)));
  EXPECT_FALSE(reaches(other, address(one)));
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  expect_silent_success(one.check(result_of(one)));
  expect_silent_success(one.del(result_of(one)));
  EXPECT_THAT(nft_elements("policy4"), Not(IsEmpty()));
  EXPECT_THAT(nft_elements("att4"), IsEmpty());
}

TEST_F(FirewalldBackend, KilledAtAnyStepIsMendedByDel) {
  const Json config = firewall_alone(R"({})");
  Attachment later = attachment(config);
  later.config.erase("prevResult");
  bool seen = false;
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 300);
    const Stop stop = kill_at(later.spawn("ADD", config), k);
    if (!stop.reached) break;
    SCOPED_TRACE("killed before step " + stop.step);
    seen = seen || !firewalld_.list_sources().empty();
    expect_silent_success(later.del());
    EXPECT_THAT(firewalld_.list_sources(), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    if (HasFailure()) return;
  }
  EXPECT_TRUE(seen) << "no kill came between the source and the end of ADD";
}

/// Beside Debian's plugin, on the same firewalld one after the other: ADD and DEL leave the same
/// sources, and each removes the other's.
TEST_F(FirewalldBackend, SourcesEqualTheReferences) {
  const std::vector<std::string> configs = {
      R"({})",
      R"({"firewalldZone": "internal"})",
      R"({"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.1.0.2/24"},
                                         {"version": "6", "address": "fd00:1::2/64"}]})",
      R"({"ips": [{"address": "10.1.0.2/24"}, {"address": "10.9.0.2/16"},
                  {"address": "fd00:1::2/64"}], "firewalldZone": "home"})",
      R"({"ips": []})",
  };
  Attachment ours = attachment(Json::object());
  for (const std::string& text : configs) {
    SCOPED_TRACE(text);
    ours.config = firewall_alone(text);
    Attachment theirs = ours;
    theirs.folder = kReferenceDir;
    const std::string zone = ours.config.value("firewalldZone", "trusted");
    const auto add = [&](const Attachment& job) {
      EXPECT_TRUE(job.add().ok());
      return firewalld_.list_sources(zone);
    };
    const auto del = [&](const Attachment& job) {
      EXPECT_TRUE(job.del().ok());
      return firewalld_.list_sources(zone);
    };
    const auto wanted = add(theirs);
    EXPECT_EQ(wanted.size(), ours.config["prevResult"]["ips"].size());
    EXPECT_THAT(del(theirs), IsEmpty());
    EXPECT_EQ(add(ours), wanted);
    EXPECT_THAT(del(ours), IsEmpty());
    EXPECT_EQ(add(theirs), wanted);
    EXPECT_THAT(del(ours), IsEmpty()) << "made by the reference";
    EXPECT_EQ(add(ours), wanted);
    EXPECT_THAT(del(theirs), IsEmpty()) << "made by us";
    EXPECT_THAT(del(ours), IsEmpty());
  }
}

using DefaultBesideFirewalld = FirewalldHost;

TEST_F(DefaultBesideFirewalld, OpensItsForwardChainAndClosesItAgain) {
  const std::string before = table();
  Json without = list("br1", 1);
  without["plugins"].erase(1);
  const Attachment closed = added(without, "closed");
  const Attachment one = added(list("br2", 2), "one");
  const Attachment other = added(list("br3", 3), "other");
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  EXPECT_TRUE(reaches(one, address(other)));
  EXPECT_FALSE(pings(outside_.fd(), address(one))) << "only answers come in";
  EXPECT_FALSE(reaches(closed, "198.51.100.2"));
  EXPECT_FALSE(reaches_host(one)) << "firewalld decides about the host's own ports";
  EXPECT_THAT(firewalld_.list_sources(), IsEmpty());
  expect_silent_success(one.check(result_of(one)));

  expect_silent_success(one.del(result_of(one)));
  EXPECT_TRUE(reaches(other, "198.51.100.2"));
  expect_silent_success(other.del(result_of(other)));
  EXPECT_EQ(table(), before);
}

TEST_F(DefaultBesideFirewalld, ReloadDropsTheRuleAndTheNextVerbPutsItBack) {
  const Json config = list("br1", 1);
  const Attachment one = added(config, "one");
  const auto forget = [&] {
    firewalld_.reload();
    EXPECT_FALSE(reaches(one, "198.51.100.2"));
    EXPECT_THAT(expect_error(one.check(result_of(one)))["msg"], HasSubstr("filter_FORWARD"));
  };
  forget();
  const Attachment two = added(config, "two");
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  forget();
  expect_silent_success(nobody(config).status());
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  forget();
  expect_silent_success(nobody(config).gc(Json::array({valid_entry(one), valid_entry(two)})));
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  expect_silent_success(one.check(result_of(one)));
}

TEST_F(DefaultBesideFirewalld, StartedLaterIsOpenedByTheNextAdd) {
  firewalld_.stop();
  const Attachment one = added(list("br1", 1), "one");
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  firewalld_.start();
  EXPECT_FALSE(reaches(one, "198.51.100.2"));
  const Attachment two = added(list("br1", 1), "two");
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  firewalld_.stop();
  for (const Attachment& each : {one, two}) expect_silent_success(each.del(result_of(each)));
}

TEST_F(DefaultBesideFirewalld, DelRemovesTheReferencesSourceAndNobodyElses) {
  const Attachment one = added(list("br1", 1), "one");
  firewalld_.add_source("trusted", address(one) + "/32");
  firewalld_.add_source("trusted", "10.1.0.77/32");
  expect_silent_success(one.del(result_of(one)));
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre("10.1.0.77/32"));

  const Attachment two = added(list("br1", 1), "two");  // has another address
  firewalld_.add_source("trusted", address(two) + "/32");
  Json stale = result_of(one);
  stale["ips"] = result_of(two)["ips"];
  expect_silent_success(one.del(stale));
  EXPECT_THAT(firewalld_.list_sources(), ElementsAre(address(two) + "/32", "10.1.0.77/32"))
      << "its reservation names another container";
}

TEST_F(DefaultBesideFirewalld, NeedsNoDBus) {
  Attachment job = attachment(list("br1", 1), "one");
  job.env["LD_DEBUG"] = "files";
  const Output add = job.add();
  EXPECT_TRUE(add.ok()) << add.out;
  EXPECT_THAT(add.err, AllOf(HasSubstr("firewall.so"), Not(HasSubstr("libsystemd"))));
  // firewalld 2 has its sources elsewhere: there DEL asks it whether the address is one.
  const bool is_first = table().find("filter_FORWARD_ZONES") != std::string::npos;
  const std::string del = job.del(add.json()).err;
  EXPECT_EQ(del.find("libsystemd") == std::string::npos, is_first) << del;

  job.config = zone("br1", 1);
  EXPECT_THAT(job.add().err, HasSubstr("libsystemd")) << "else this test sees nothing";
}

}  // namespace
}  // namespace unicni::test::firewalld_test
