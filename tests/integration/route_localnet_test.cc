// Sysctl route_localnet of a bridge: who needs it, and when it goes back.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "integration/journal_line.h"
#include "integration/port_world.h"

namespace unicni::test::route_localnet_test {
namespace {

using ::testing::IsEmpty;

constexpr const char* kKey = "net/ipv4/conf/br1/route_localnet";

/// The entries as versions up to 0.1 wrote them: no link in the record.
void forget_links_of_localnets() {
  for (const std::string& name : files_in(kJournals)) {
    const std::string path = std::string(kJournals) + '/' + name;
    std::istringstream lines(read_file(path));
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      const auto link = line.find(" .link=");
      const bool tells = line.find("type=localnet ") != line.npos && link != line.npos;
      text += tells ? journal_line(line.substr(0, link)) : line + '\n';
    }
    write_file(path, text, 0600);
  }
  tool({"nft", "flush", "set", "inet", "unicni", "local4"});
}

class RouteLocalnet : public ::testing::Test {
 protected:
  struct Made {
    Attachment job;
    Json result;
  };
  static Json list(int network, int port, const Json& options = Json::object()) {
    return with_version(PortWorld::list(network, published(port), options), "1.1.0");
  }
  Made add(const char* name, const Json& list, Maker maker = Maker::ours) {
    world_.make(name);
    const Attachment job = world_.attach(name, list, "eth0", maker);
    return {job, world_.result_of(name)};
  }
  static void del(const Made& made) { expect_silent_success(made.job.del(made.result)); }
  static void collect(const Made& made) {
    Attachment nobody;
    nobody.config = with_version(made.job.config, "1.1.0");
    expect_silent_success(nobody.gc(Json::array()));
  }
  static void expect_closed() {
    EXPECT_EQ(sysctl(kKey), "0");
    EXPECT_THAT(nft_elements("localnet_if"), IsEmpty());
    EXPECT_THAT(nft_elements("local4"), IsEmpty());
  }

  PortWorld world_;
};

TEST_F(RouteLocalnet, GoesWithTheLastTwoAtOnce) {
  for (const char* backend : {"nftables", "iptables"}) {
    SCOPED_TRACE(backend);
    const Json options = {{"backend", backend}};
    const Made first = add("c1", list(1, 8081, options));
    const std::vector<std::string> before = files_in(kJournals);
    const Made second = add("c2", list(1, 8082, options));
    // As the second one's DEL leaves it between its elements and the end of its journal entry.
    tool({"nft", "flush", "set", "inet", "unicni", "local4"});
    std::vector<std::string> entries = files_in(kJournals);
    std::erase_if(entries, [&](const std::string& name) {
      return std::ranges::find(before, name) != before.end();
    });
    ASSERT_EQ(entries.size(), 1U);
    const std::string entry = std::string(kJournals) + '/' + entries.front();
    const int at_work = ::open(entry.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::flock(at_work, LOCK_EX | LOCK_NB), 0);
    del(first);
    expect_closed();
    ::close(at_work);
    del(second);
    expect_closed();
  }
}

TEST_F(RouteLocalnet, GoesWithTheLastPortBehindItsBridge) {
  const auto is_open = [](int bridge) {
    return sysctl("net/ipv4/conf/br" + std::to_string(bridge) + "/route_localnet") == "1";
  };
  for (const char* backend : {"nftables", "iptables"}) {
    SCOPED_TRACE(backend);
    const Json options = {{"backend", backend}};
    const Made first = add("c1", list(1, 8081, options));
    const Made second = add("c2", list(1, 8082, options));
    const Made other = add("c3", list(2, 8083, options));
    EXPECT_TRUE(is_open(1) && is_open(2));
    del(first);
    EXPECT_TRUE(is_open(1) && is_open(2));
    del(second);
    EXPECT_FALSE(is_open(1));
    EXPECT_TRUE(is_open(2));
    expect_silent_success(other.job.check(other.result));
    del(other);
    EXPECT_FALSE(is_open(2));
    expect_closed();
  }
}

TEST_F(RouteLocalnet, StaysForAttachmentsOfAFormerVersion) {
  const Made former = add("c1", list(1, 8081));
  forget_links_of_localnets();
  const Made second = add("c2", list(1, 8082));
  const Made elsewhere = add("c3", list(2, 8083));
  del(second);
  EXPECT_EQ(sysctl(kKey), "1") << "the former one needs it";
  expect_silent_success(former.job.check(former.result));
  del(former);
  EXPECT_EQ(sysctl(kKey), "0");
  del(elsewhere);
  expect_closed();
}

/// Which sets it as well, but never back.
TEST_F(RouteLocalnet, StaysForTheReferencesPorts) {
  for (const char* backend : {"nftables", "iptables"}) {
    const Made ours = add("c1", list(1, 8081, {{"backend", backend}}));
    const Made theirs = add("c2", with_version(list(1, 8082), "1.0.0"), Maker::reference);
    del(ours);
    EXPECT_EQ(sysctl(kKey), "1") << backend;
    collect(ours);
    EXPECT_EQ(sysctl(kKey), "1") << backend;
    del(theirs);  // by us, as after an exchange of the executables
    collect(ours);
    expect_closed();
  }
}

TEST_F(RouteLocalnet, GoesAlsoWithoutAJournal) {
  for (const bool by_gc : {false, true}) {
    SCOPED_TRACE(by_gc);
    const Made made = add("c1", list(1, 8081));
    for (const std::string& name : files_in(kJournals)) {
      tool({"rm", std::string(kJournals) + '/' + name});
    }
    if (by_gc) {
      collect(made);
    } else {
      del(made);
    }
    expect_closed();
  }
}

/// `nft flush set` while ports are published: the sysctl is still ours.
TEST_F(RouteLocalnet, GoesBackWhereTheSetOfItsLinksWasFlushed) {
  for (const char* backend : {"nftables", "iptables"}) {
    SCOPED_TRACE(backend);
    const Made first = add("c1", list(1, 8081, {{"backend", backend}}));
    const Made second = add("c2", list(1, 8082, {{"backend", backend}}));
    tool({"nft", "flush", "set", "inet", "unicni", "localnet_if"});
    EXPECT_FALSE(second.job.check(second.result).ok()) << "127.0.0.0/8 is open to containers";
    del(first);
    EXPECT_EQ(sysctl(kKey), "1") << "the second needs it";
    EXPECT_THAT(nft_elements("localnet_if"), ::testing::SizeIs(1)) << "its guard is back";
    expect_silent_success(second.job.check(second.result));
    tool({"nft", "flush", "set", "inet", "unicni", "localnet_if"});
    del(second);
    expect_closed();
  }
}

TEST_F(RouteLocalnet, IsStillOursWhereTheNextPortPutsTheGuardBack) {
  const Made first = add("c1", list(1, 8081));
  tool({"nft", "flush", "set", "inet", "unicni", "localnet_if"});
  const Made second = add("c2", list(1, 8082));
  expect_silent_success(first.job.check(first.result));
  del(first);
  EXPECT_EQ(sysctl(kKey), "1");
  del(second);
  expect_closed();
}

TEST_F(RouteLocalnet, StaysForWhoNeedsItWhereTheSetOfUsersWasFlushed) {
  const Made first = add("c1", list(1, 8081));
  const Made second = add("c2", list(1, 8082));
  tool({"nft", "flush", "set", "inet", "unicni", "local4"});
  del(first);
  EXPECT_EQ(sysctl(kKey), "1");
  del(second);
  expect_closed();
}

/// What an administrator set before stays.
TEST_F(RouteLocalnet, OfAnAdministratorStaysAlsoWhereTheSetWasFlushed) {
  tool({"ip", "link", "add", "br1", "type", "bridge"});
  tool({"sysctl", "-qw", "net.ipv4.conf.br1.route_localnet=1"});
  const Made made = add("c1", list(1, 8081));
  tool({"nft", "flush", "set", "inet", "unicni", "localnet_if"});
  del(made);
  EXPECT_EQ(sysctl(kKey), "1");
}

}  // namespace
}  // namespace unicni::test::route_localnet_test
