// A container with several attachments that publish the same ports, as `podman run --network a
// --network b -p …` and `podman network connect` make it: one of them serves, and when it goes
// another one does.
#include <algorithm>
#include <vector>

#include "integration/port_world.h"
#include "support/sample.h"
#include "support/tracer.h"
#include "support/traffic.h"

namespace unicni::test::port_siblings_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kPort = 8080;

/// Replies don't need a default route, which is the first attachment's.
Json list_of(int network, const Json& portmap = Json::object(),
             const Json& mappings = published(kPort)) {
  Json options = {{"masqAll", true}};
  options.update(portmap);
  return with_version(PortWorld::list(network, mappings, options), "1.1.0");
}

class PortSiblings : public ::testing::Test {
 protected:
  /// Everybody who may knocks at both families with both transports; who answers each time.
  void expect_answer(const std::string& name, const std::string& where) {
    std::vector<Knock> knocks;
    for (const char* to : {kHost4, kHost6}) {
      for (const Transport transport : transports_) {
        knocks.push_back({world_.netns_of("outside"), transport, to, kPort});
      }
    }
    const auto patience = std::chrono::milliseconds(name.empty() ? 300 : 1500);
    const auto answers = world_.knock(knocks, patience);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_EQ(answers[i].server, name)
          << where << ": " << knocks[i].to
          << (knocks[i].transport == Transport::tcp ? " tcp" : " udp");
    }
  }
  static void expect_nothing_left() {
    for (const char* set : {"port4_any", "port6_any", "port4_at", "claim4", "claim6", "pub4"}) {
      EXPECT_THAT(nft_elements(set), IsEmpty()) << set;
    }
    EXPECT_THAT(tool({"iptables-save"}).out, Not(HasSubstr("CNI-DN-")));
    EXPECT_THAT(tool({"iptables-save"}).out, Not(HasSubstr("CNI-HOSTPORT")));
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
  static void expect_checked(const std::vector<Attachment>& jobs,
                             const std::map<std::string, Json>& results) {
    for (const Attachment& job : jobs) {
      SCOPED_TRACE("CHECK of " + job.if_name);
      expect_silent_success(job.check(results.at(job.if_name)));
    }
  }
  Attachment attach(const Json& list, const std::string& if_name) {
    const Attachment job = world_.attach("c1", list, if_name);
    results_[if_name] = world_.result_of("c1");
    return job;
  }
  void del(const Attachment& job) { expect_silent_success(job.del(results_.at(job.if_name))); }
  /// The container with attachments to these lists.
  std::vector<Attachment> attached(const std::vector<Json>& lists) {
    // Else the host learns one interface's MAC for the other's address, from its answers or its own
    // questions, and keeps it for seconds after that interface has gone.
    world_.make("c1").run(
        {"sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2"});
    std::vector<Attachment> jobs;
    for (const Json& list : lists) {
      jobs.push_back(attach(list, "eth" + std::to_string(jobs.size())));
    }
    return jobs;
  }

  PortWorld world_;
  std::map<std::string, Json> results_;
  std::vector<Transport> transports_{Transport::tcp, Transport::udp};
};

struct Pair {
  const char* first;
  const char* second;
  int second_network;
};

class PortSiblingsOf : public PortSiblings, public ::testing::WithParamInterface<Pair> {};

TEST_P(PortSiblingsOf, ThePortAnswersUntilTheLastIsGone) {
  const Json first = list_of(1, {{"backend", GetParam().first}});
  const Json second = list_of(GetParam().second_network, {{"backend", GetParam().second}});
  // A server's datagrams leave from the first interface of a subnet, with its address; and
  // iptables' rules, here the second one's, come before ours.
  if (GetParam().second_network == 1 && GetParam().second != std::string(GetParam().first)) {
    transports_ = {Transport::tcp};
  }
  for (const bool first_goes_first : {true, false}) {
    SCOPED_TRACE(first_goes_first ? "the first goes first" : "the second goes first");
    auto jobs = attached({first, second});
    expect_answer("c1", "both are there");
    expect_checked(jobs, results_);
    if (!first_goes_first) std::ranges::reverse(jobs);
    del(jobs[0]);
    expect_answer("c1", "one is there");
    expect_checked({jobs[1]}, results_);
    del(jobs[0]);
    expect_answer("c1", "DEL came twice");
    del(jobs[1]);
    expect_answer("", "none is there");
    expect_nothing_left();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Backends, PortSiblingsOf,
    ::testing::Values(Pair{"nftables", "nftables", 2}, Pair{"iptables", "iptables", 2},
                      Pair{"nftables", "iptables", 2}, Pair{"iptables", "nftables", 2},
                      Pair{"nftables", "nftables", 1}, Pair{"iptables", "iptables", 1},
                      Pair{"nftables", "iptables", 1}, Pair{"iptables", "nftables", 1}),
    [](const auto& each) {
      return std::string(each.param.first) + "_" + each.param.second +
             (each.param.second_network == 1 ? "_one_network" : "_two_networks");
    });

TEST_F(PortSiblings, ThreeNetworksInEveryOrder) {
  std::vector<std::size_t> order{0, 1, 2};
  do {
    const auto jobs = attached({list_of(1), list_of(2), list_of(3)});
    const std::string where = jobs[order[0]].if_name + ", " + jobs[order[1]].if_name + " went";
    for (const std::size_t index : order) {
      expect_answer("c1", where);
      del(jobs[index]);
    }
    expect_nothing_left();
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(PortSiblings, AnotherContainerIsRefusedAsLongAsOneIsThere) {
  const auto jobs = attached({list_of(1), list_of(2)});
  world_.make("c2");
  const Attachment other = world_.job("c2", list_of(2));
  EXPECT_THAT(expect_error(other.add(), 999)["msg"], HasSubstr("\"net1/c1/eth0\""));
  del(jobs[0]);
  EXPECT_THAT(expect_error(other.add(), 999)["msg"], HasSubstr("\"net2/c1/eth1\""));
  del(jobs[1]);
  const Json result = must_add(other);
  expect_answer("c2", "the port is free");
  expect_silent_success(other.del(result));
}

TEST_F(PortSiblings, GcHandsThePortOver) {
  const auto jobs = attached({list_of(1), list_of(2)});
  Attachment nobody;
  nobody.config = jobs[0].config;
  expect_silent_success(nobody.gc(Json::array()));
  expect_answer("c1", "GC of the first network");
  expect_silent_success(jobs[1].check(results_.at("eth1")));
  nobody.config = jobs[1].config;
  expect_silent_success(nobody.gc(Json::array()));
  expect_nothing_left();
}

TEST_F(PortSiblings, AFlushedRulesetComesBackWithOneWhoServes) {
  for (const bool restored_first : {true, false}) {
    const auto jobs = attached({list_of(1), list_of(2)});
    tool({"nft", "flush", "ruleset"});
    for (const Attachment& job : jobs) {
      expect_error(job.check(results_.at(job.if_name)));
    }
    Attachment nobody;
    nobody.config = jobs[0].config;
    if (restored_first) {
      expect_silent_success(nobody.status());
      expect_answer("c1", "restored");
      expect_checked(jobs, results_);
    }
    static_cast<void>(jobs[0].del(results_.at("eth0")));
    expect_answer("c1", "the first went");
    expect_silent_success(jobs[1].check(results_.at("eth1")));
    del(jobs[1]);
    expect_nothing_left();
  }
}

TEST_F(PortSiblings, WhatAKilledAddAnnouncedIsNoOnesPortAfterAFlush) {
  constexpr int kApart = 4;  // each element is a step, and a port has more than that
  for (int k = 1;; k += kApart) {
    ASSERT_LT(k, 300);
    if (k == 1) attached({});
    Attachment killed = world_.job("c1", list_of(1));
    const Stop stop = kill_at(killed.spawn("ADD", killed.config), k);
    SCOPED_TRACE("killed at " + stop.step);
    tool({"nft", "flush", "ruleset"});
    const Attachment next = attach(list_of(2), "eth1");
    if (stop.reached) static_cast<void>(killed.del());
    expect_answer("c1", "the killed one went");
    expect_silent_success(next.check(results_.at("eth1")));
    if (!stop.reached) static_cast<void>(killed.del());
    del(next);
    expect_nothing_left();
    if (!stop.reached) return;
  }
}

/// How a container is started again after its DELs were lost, and what it had before.
struct Revival {
  const char* name;
  const char* dead;    ///< the backend of both dead attachments
  const char* living;  ///< and of the one that comes after them
  int network;         ///< of that one; the dead have 1 and 2
  const char* if_name;
};

class PortSiblingsAfter : public PortSiblings, public ::testing::WithParamInterface<Revival> {};

TEST_P(PortSiblingsAfter, ADeadAttachmentOfTheSameContainerDoesNotServe) {
  const Revival& how = GetParam();
  const Json dead = {{"backend", how.dead}};
  auto jobs = attached({list_of(1, dead), list_of(2, dead)});
  world_.kill("c1");
  world_.make("c1");
  const auto of_the_dead = results_;
  const Attachment again = attach(list_of(how.network, {{"backend", how.living}}), how.if_name);
  expect_answer("c1", "started again");
  expect_silent_success(again.check(results_.at(how.if_name)));
  std::erase_if(jobs, [&](const Attachment& job) {
    return job.if_name == how.if_name && job.config["name"] == again.config["name"];
  });
  for (Attachment& job : jobs) {
    job.netns = "";
    expect_silent_success(job.del(of_the_dead.at(job.if_name)));
    expect_answer("c1", "a late DEL");
  }
  del(again);
  expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(
    Revivals, PortSiblingsAfter, ::testing::ValuesIn([] {
      std::vector<Revival> all;
      for (const char* dead : {"nftables", "iptables"}) {
        for (const char* living : {"nftables", "iptables"}) {
          all.push_back({"third_network", dead, living, 3, "eth2"});
          all.push_back({"one_of_them", dead, living, 1, "eth0"});
          all.push_back({"same_network_other_interface", dead, living, 1, "net1"});
          all.push_back({"other_network_same_interface", dead, living, 2, "eth0"});
        }
      }
      return all;
    }()),
    [](const auto& each) {
      return std::string(each.param.dead) + "_" + each.param.living + "_" + each.param.name;
    });

TEST_F(PortSiblings, SettlingHandsOverToWhoLives) {
  attached({list_of(1)});
  world_.kill("c1");
  world_.make("c1");
  const Attachment second = attach(list_of(2), "eth1");
  const Attachment first = attach(list_of(1), "eth0");
  expect_answer("c1", "both again");
  expect_checked({first, second}, results_);
  del(second);
  expect_answer("c1", "the settled one");
  del(first);
  expect_nothing_left();
}

TEST_F(PortSiblings, ThePortAnswersAtEveryStepOfADel) {
  for (int k = 1;; k += every(3)) {
    ASSERT_LT(k, 300);
    const auto jobs = attached({list_of(1), list_of(2)});
    Json request = jobs[0].config;
    request["prevResult"] = results_.at("eth0");
    const Spawn spawn = jobs[0].spawn("DEL", request);
    bool reached = false;
    if (k % 2 == 0) {
      const Stop stop = kill_at(spawn, k);
      reached = stop.reached;
      expect_answer("c1", "killed at " + stop.step);
    } else {
      reached = pause_at(spawn, k, [&] { expect_answer("c1", "paused"); }).reached;
    }
    del(jobs[0]);
    expect_answer("c1", "DEL came again");
    expect_silent_success(jobs[1].check(results_.at("eth1")));
    del(jobs[1]);
    expect_nothing_left();
    if (HasFailure() || !reached) return;
  }
}

TEST_F(PortSiblings, AnAddThatIsKilledLeavesTheOtherServing) {
  for (int k = 1;; k += every(3)) {
    ASSERT_LT(k, 300);
    const auto jobs = attached({list_of(1)});
    const Attachment second = world_.job("c1", list_of(2), "eth1");
    const Stop stop = kill_at(second.spawn("ADD", second.config), k);
    SCOPED_TRACE("killed at " + stop.step);
    expect_answer("c1", "an ADD was killed");
    if (k % 2 == 0) {
      static_cast<void>(second.del());
      expect_silent_success(jobs[0].check(results_.at("eth0")));
      expect_answer("c1", "the killed one has gone");
      del(jobs[0]);
    } else {
      del(jobs[0]);
      static_cast<void>(second.del());
    }
    expect_nothing_left();
    if (HasFailure() || !stop.reached) return;
  }
}

TEST_F(PortSiblings, UdpSendersFollow) {
  world_.make("c1", true);
  const Json mappings = {{{"hostPort", 5353}, {"containerPort", 53}, {"protocol", "udp"}}};
  const Attachment first = attach(list_of(1, Json::object(), mappings), "eth0");
  UdpReceiver receiver(world_.netns_of("c1"), 53);
  UdpSender sender(world_.netns_of("outside"), kHost4, 5353);
  sender.send();
  EXPECT_EQ(receiver.source_of_next(), "10.11.0.1");
  const Attachment second = attach(list_of(2, Json::object(), mappings), "eth1");
  sender.send();
  EXPECT_EQ(receiver.source_of_next(), "10.11.0.1");
  del(first);
  sender.send();
  EXPECT_EQ(receiver.source_of_next(), "10.12.0.1");
  del(second);
}

/// Attachments need not have the same places, though runtimes give them the same.
TEST_F(PortSiblings, AnyAddressServesSingleOnes) {
  const Json any = list_of(1);
  const Json one = list_of(2, Json::object(), published(kPort, kHost4));
  for (const bool any_first : {true, false}) {
    for (const bool any_goes_first : {true, false}) {
      SCOPED_TRACE(std::string(any_first ? "any first" : "one first") +
                   (any_goes_first ? ", any goes" : ", one goes"));
      auto jobs = attached(any_first ? std::vector{any, one} : std::vector{one, any});
      expect_answer("c1", "both");
      expect_checked(jobs, results_);
      if (!any_first) std::ranges::reverse(jobs);
      del(jobs[any_goes_first ? 0 : 1]);
      EXPECT_EQ(world_.reaches("outside", Transport::tcp, kHost4, kPort), "c1");
      EXPECT_EQ(world_.reaches("outside", Transport::tcp, kHost6, kPort),
                any_goes_first ? "" : "c1");
      const Attachment& left = jobs[any_goes_first ? 1 : 0];
      expect_checked({left}, results_);
      del(left);
      expect_nothing_left();
    }
  }
}

TEST_F(PortSiblings, ConditionsGoWithTheirAttachment) {
  const Json open = list_of(1);
  const Json closed = list_of(2, {{"conditionsV4", {"ip", "saddr", kOutside4}},
                                  {"conditionsV6", {"ip6", "saddr", kOutside6}}});
  for (const bool open_first : {true, false}) {
    auto jobs = attached(open_first ? std::vector{open, closed} : std::vector{closed, open});
    expect_answer("c1", "both");
    expect_checked(jobs, results_);
    del(jobs[0]);
    expect_answer("c1", "the other");
    expect_checked({jobs[1]}, results_);
    del(jobs[1]);
    expect_nothing_left();
    EXPECT_THAT(tool({"nft", "list", "table", "inet", "unicni"}).out,
                Not(HasSubstr("chain condition_")));
  }
}

TEST_F(PortSiblings, LongNamesAreOneContainerToo) {
  Json lists[] = {list_of(1), list_of(2)};
  for (Json& list : lists) list["name"] = std::string(120, 'n') + list["name"].get<std::string>();
  for (const std::size_t length : {64U, 120U}) {
    const std::string id(length, 'c');
    world_.make("c1");
    std::vector<Attachment> jobs;
    std::vector<Json> results;
    for (std::size_t i = 0; i < 2; ++i) {
      jobs.push_back(world_.job("c1", lists[i], "eth" + std::to_string(i)));
      jobs.back().container_id = id;
      results.push_back(must_add(jobs.back()));
    }
    expect_answer("c1", "both");
    expect_silent_success(jobs[0].del(results[0]));
    expect_answer("c1", "one");
    expect_silent_success(jobs[1].del(results[1]));
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace unicni::test::port_siblings_test
