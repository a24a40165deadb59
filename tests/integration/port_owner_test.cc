// A port of the host has one owner, whatever backend publishes it; and random lists of mappings
// beside a model of who answers.
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <thread>
#include <tuple>
#include <vector>

#include "integration/port_world.h"
#include "support/tracer.h"

namespace unicni::test::port_owner_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct Backends {
  const char* first;  ///< "reference": Debian's, which has iptables only
  const char* second;
};

Json list_with(int network, const std::string& backend, const Json& mappings) {
  Json options = Json::object();
  if (backend != "reference") options["backend"] = backend;
  return PortWorld::list(network, mappings, options);
}

class PortOwner : public ::testing::TestWithParam<Backends> {};

TEST_P(PortOwner, IsRefusedToAnotherContainerUntilItIsFree) {
  const auto [first, second] = GetParam();
  const Maker maker = first == std::string("reference") ? Maker::reference : Maker::ours;
  struct Place {
    const char* first;
    const char* second;
    bool clash;
  };
  for (const Place& place : {Place{"", "", true}, Place{"", kHost4, true}, Place{kHost6, "", true},
                             Place{kHost4, kHost4, true}, Place{kHost4, "127.0.0.1", false},
                             Place{"0.0.0.0", "::", false}}) {
    SCOPED_TRACE(std::string("at \"") + place.first + "\", then at \"" + place.second + '"');
    PortWorld world;
    world.add("c1", list_with(1, first, published(8080, place.first)), maker);
    world.make("c2");
    const Attachment job = world.job("c2", list_with(2, second, published(8080, place.second)));
    if (!place.clash) {
      must_add(job);
      continue;
    }
    const std::string text = expect_error(job.add(), 999)["msg"];
    EXPECT_THAT(text, HasSubstr("8080"));
    EXPECT_THAT(text, HasSubstr("c1"));
    EXPECT_THAT(text, HasSubstr("net1"));
    EXPECT_THAT(tool({"iptables-save"}).out, Not(HasSubstr("id: \\\"c2\\\"")));
    EXPECT_THAT(files_in(kJournals), SizeIs(maker == Maker::ours ? 1 : 0));
    EXPECT_EQ(world.reaches("outside", Transport::tcp,
                            place.first == std::string(kHost6) ? kHost6 : kHost4, 8080),
              "c1");
  }
}

TEST_P(PortOwner, OfTheDeadIsTakenOver) {
  const auto [first, second] = GetParam();
  if (first == std::string("reference")) return;  // keeps no journal: nobody knows that it is dead
  PortWorld world;
  world.add("c1", list_with(1, first, published(8080)));
  world.kill("c1");
  for (int tries = 0; tries < 100 && link_names().size() > 2; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // up0 and br1 stay
  }
  const Attachment next = world.add("c2", list_with(2, second, published(8080)));
  EXPECT_EQ(world.reaches("outside", Transport::tcp, kHost4, 8080), "c2");
  EXPECT_EQ(world.reaches("outside", Transport::udp, kHost6, 8080), "c2");
  EXPECT_THAT(tool({"iptables-save"}).out, Not(HasSubstr("id: \\\"c1\\\"")));
  expect_silent_success(next.check(world.result_of("c2")));
}

/// As CNI_NETNS is /proc/PID/ns/net of a process that ended while others are in the namespace.
TEST_P(PortOwner, IsKeptWhereThePathOfItsNamespaceEnded) {
  const auto [first, second] = GetParam();
  if (first == std::string("reference")) return;
  PortWorld world;
  world.make("c1");
  Attachment job = world.job("c1", with_version(list_with(1, first, published(8080)), "1.1.0"));
  const std::string path = job.netns;
  Json result;
  {
    const Inhabitant inhabitant(world.container("c1"));
    job.netns = inhabitant.path();
    result = must_add(job);
  }
  world.make("c2");
  const Output refused = world.job("c2", list_with(2, second, published(8080))).add();
  EXPECT_THAT(expect_error(refused, 999)["msg"], HasSubstr("c1"));
  // Another network of the same container, whose namespace the verb knows.
  const Attachment sibling = world.job("c1", list_with(3, second, published(8080)), "eth1");
  const Json of_sibling = must_add(sibling);
  EXPECT_EQ(world.reaches("outside", Transport::tcp, kHost4, 8080), "c1");
  // By the path that is left.
  job.netns = path;
  for (Json& interface : result["interfaces"]) {
    if (interface.contains("sandbox")) interface["sandbox"] = path;
  }
  expect_silent_success(job.check(result));
  expect_silent_success(sibling.check(of_sibling));
  tool({"nft", "flush", "table", "inet", "unicni"});
  expect_error(job.check(result));
  expect_silent_success(job.status());  // makes what somebody flushed
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_silent_success(sibling.check(of_sibling));
  expect_silent_success(sibling.del(of_sibling));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Backends, PortOwner,
    ::testing::Values(Backends{"nftables", "nftables"}, Backends{"nftables", "iptables"},
                      Backends{"iptables", "nftables"}, Backends{"iptables", "iptables"},
                      Backends{"reference", "nftables"}, Backends{"reference", "iptables"}),
    [](const auto& each) { return std::string(each.param.first) + "_then_" + each.param.second; });

/// Of a list in which portmap is the first that needs our tables, among containers whose journals
/// are read before the owner's, and after it.
TEST(PortOwnerAfterAFlush, IsWhoHadThePort) {
  const auto list_of = [](int network, const std::string& host_ip) {
    Json list = list_with(network, "nftables", published(8080, host_ip));
    list["plugins"][0]["ipMasq"] = false;
    return list;
  };
  PortWorld world;
  const Attachment owner = world.add("c5", list_of(1, kHost4));
  for (const char* name : {"c1", "c2", "c3", "c4", "c6", "c7", "c8", "c9"}) {
    world.make(name);
    for (const char* host_ip : {"", kHost4}) {
      SCOPED_TRACE(std::string(name) + " at \"" + host_ip + '"');
      tool({"nft", "flush", "ruleset"});
      const std::string text = expect_error(world.job(name, list_of(2, host_ip)).add(), 999)["msg"];
      EXPECT_THAT(text, HasSubstr("c5"));
      expect_silent_success(owner.check(world.result_of("c5")));
    }
  }
  EXPECT_EQ(world.reaches("outside", Transport::tcp, kHost4, 8080), "c5");
}

TEST(PortOwnerProgram, RunsOnlyIfIptablesHasOneOfThePorts) {
  PortWorld world;
  world.add("c1", list_with(1, "iptables", published(8080)));
  world.make("c2");
  Attachment job = world.job("c2", list_with(2, "nftables", published(8081)));
  const Life life = watch_births(job.spawn("ADD", job.config));
  EXPECT_TRUE(life.output.ok()) << life.output.str();
  EXPECT_THAT(life.births, IsEmpty());
  expect_silent_success(job.del(life.output.json()));
  job.config = list_with(2, "nftables", published(8080));
  const Life clash = watch_births(job.spawn("ADD", job.config));
  EXPECT_THAT(clash.births, Not(IsEmpty()));
  expect_error(clash.output, 999);
}

TEST(PortOwnerProgram, LegacyRulesAreSeenToo) {
  PortWorld world;
  world.add("c1", list_with(1, "iptables", published(8080)));
  const std::string saved = tool({"iptables-nft-save", "-t", "nat"}).out;
  write_file("/run/saved", saved);
  tool({"sh", "-c", "iptables-legacy-restore --noflush < /run/saved; nft flush table ip nat"});
  world.make("c2");
  const Attachment job = world.job("c2", list_with(2, "nftables", published(8080)));
  EXPECT_THAT(expect_error(job.add(), 999)["msg"], HasSubstr("container c1 on network net1"));
}

// --- random lists ---

/// One mapping as it is written.
struct Written {
  int host_port;
  int container_port;
  std::string protocol;
  std::string host_ip;
};

struct Model {
  using Number = std::tuple<bool, std::string, int>;  // v6, protocol, port
  /// Where a list leads: by number and address ("": any) to ports of the container.
  using Places = std::map<Number, std::map<std::string, int>>;

  static bool is_servable(const Written& mapping) { return mapping.host_ip != "::1"; }
  static std::vector<std::pair<bool, std::string>> places(const Written& mapping) {
    if (mapping.host_ip.empty()) return {{false, ""}, {true, ""}};
    if (mapping.host_ip == "0.0.0.0") return {{false, ""}};
    if (mapping.host_ip == "::") return {{true, ""}};
    return {{mapping.host_ip.find(':') != std::string::npos, mapping.host_ip}};
  }
  static bool clash(const std::string& one, const std::string& other) {
    return one.empty() || other.empty() || one == other;
  }
  /// nullopt: the list contradicts itself.
  static std::optional<Places> places_of(const std::vector<Written>& list) {
    Places all;
    for (const Written& mapping : list) {
      if (!is_servable(mapping)) continue;
      for (const auto& [v6, address] : places(mapping)) {
        auto& known = all[{v6, mapping.protocol, mapping.host_port}];
        for (const auto& [other, port] : known) {
          if (clash(other, address) && port != mapping.container_port) return std::nullopt;
        }
        known[address] = mapping.container_port;
      }
    }
    return all;
  }
  static bool clash(const Places& one, const Places& other) {
    return std::ranges::any_of(one, [&](const auto& entry) {
      const auto found = other.find(entry.first);
      return found != other.end() && std::ranges::any_of(entry.second, [&](const auto& mine) {
               return std::ranges::any_of(found->second, [&](const auto& theirs) {
                 return clash(mine.first, theirs.first);
               });
             });
    });
  }

  std::map<std::string, std::map<std::string, Places>> living;  ///< by container, by interface

  [[nodiscard]] unsigned expected_code(const std::string& name,
                                       const std::vector<Written>& list) const {
    const auto wanted = places_of(list);
    if (!wanted) return 7;
    for (const auto& [container, attachments] : living) {
      if (container == name) continue;
      for (const auto& [if_name, places] : attachments) {
        if (clash(places, *wanted)) return 999;
      }
    }
    return 0;
  }
  /// "c1:80": who answers there; attachments of one container have the same list here.
  [[nodiscard]] std::string who(bool v6, const std::string& protocol, int port,
                                const std::string& address) const {
    for (const auto& [container, attachments] : living) {
      for (const auto& [if_name, places] : attachments) {
        const auto found = places.find({v6, protocol, port});
        if (found == places.end()) continue;
        for (const auto& [at, target] : found->second) {
          if (at.empty() || at == address) return container + ':' + std::to_string(target);
        }
      }
    }
    return {};
  }
};

std::vector<Written> random_list(std::mt19937& random) {
  const auto pick = [&](const auto& from) { return from[random() % std::size(from)]; };
  constexpr int kHostPorts[] = {8080, 8081};
  constexpr int kTargets[] = {80, 80, 80, 80, 81};
  constexpr const char* kProtocols[] = {"tcp", "tcp", "udp"};
  constexpr const char* kAddresses[] = {
      "", "", "0.0.0.0", "::", kHost4, kHost6, "127.0.0.1", "::1"};
  std::vector<Written> list(1 + random() % 6);
  for (Written& each : list) {
    each = {pick(kHostPorts), pick(kTargets), pick(kProtocols), pick(kAddresses)};
  }
  return list;
}

Json json_of(const std::vector<Written>& list) {
  Json all = Json::array();
  for (const Written& each : list) {
    Json mapping = {{"hostPort", each.host_port},
                    {"containerPort", each.container_port},
                    {"protocol", each.protocol}};
    if (!each.host_ip.empty()) mapping["hostIP"] = each.host_ip;
    all.push_back(mapping);
  }
  return all;
}

class RandomPorts {
 public:
  explicit RandomPorts(unsigned seed) : random_(seed) {
    for (const char* name : {"c1", "c2", "c3"}) {
      world_.make(name, true);
      lists_[name] = random_list(random_);
    }
  }
  void step() {
    const std::string name = "c" + std::to_string(1 + random_() % 3);
    const int network = static_cast<int>(1 + random_() % 3);
    const std::string if_name = "eth" + std::to_string(network);
    auto& mine = model_.living[name];
    if (mine.contains(if_name)) {
      said_ << "\nDEL " << name << ' ' << if_name;
      expect_silent_success(jobs_.at(name + if_name).del(results_.at(name + if_name)));
      mine.erase(if_name);
      // Another list from now on, if nobody of it is left.
      if (mine.empty()) lists_[name] = random_list(random_);
    } else {
      add(name, if_name, network);
    }
  }
  void expect_answers() {
    SCOPED_TRACE(said_.str());
    std::vector<Knock> knocks;
    std::vector<std::string> expected;
    for (const int port : {8080, 8081}) {
      for (const char* protocol : {"tcp", "udp"}) {
        const Transport transport =
            protocol == std::string("tcp") ? Transport::tcp : Transport::udp;
        const auto expect = [&](const char* from, const char* to) {
          const bool v6 = std::string(to).find(':') != std::string::npos;
          knocks.push_back({world_.netns_of(from), transport, to, port});
          expected.push_back(model_.who(v6, protocol, port, to));
        };
        expect("outside", kHost4);
        expect("outside", kHost6);
        expect("host", "127.0.0.1");
      }
    }
    const auto answers = world_.knock(knocks, std::chrono::milliseconds(500));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_EQ(answers[i].server, expected[i])
          << knocks[i].to << ' ' << knocks[i].port
          << (knocks[i].transport == Transport::tcp ? " tcp" : " udp");
    }
    for (const auto& [key, job] : jobs_) {
      if (!model_.living[job.container_id].contains(job.if_name)) continue;
      SCOPED_TRACE("CHECK of " + key);
      expect_silent_success(job.check(results_.at(key)));
    }
  }
  void end() {
    SCOPED_TRACE(said_.str());
    for (auto& [name, attachments] : model_.living) {
      for (const auto& [if_name, places] : attachments) {
        expect_silent_success(jobs_.at(name + if_name).del(results_.at(name + if_name)));
      }
    }
    for (const char* family : {"4", "6"}) {
      for (const char* set : {"port4_any", "port4_at", "claim4", "pub4"}) {
        std::string each = set;
        each.replace(each.find('4'), 1, family);
        EXPECT_THAT(nft_elements(each), IsEmpty()) << each;
      }
    }
    EXPECT_THAT(tool({"iptables-save"}).out, Not(HasSubstr("CNI-DN-")));
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }

 private:
  void add(const std::string& name, const std::string& if_name, int network) {
    const std::vector<Written>& list = lists_[name];
    const std::string backend = random_() % 4 == 0 ? "iptables" : "nftables";
    Attachment job = world_.job(
        name, PortWorld::list(network, json_of(list), {{"backend", backend}, {"masqAll", true}}),
        if_name);
    said_ << "\nADD " << name << ' ' << if_name << ' ' << backend << ' ' << json_of(list);
    SCOPED_TRACE(said_.str());
    const unsigned code = model_.expected_code(name, list);
    const Output output = job.add();
    if (code != 0) {
      expect_error(output, code);
      lists_[name] = model_.living[name].empty() ? random_list(random_) : list;
      return;
    }
    ASSERT_TRUE(output.ok()) << output.str();
    results_[name + if_name] = output.json();
    jobs_[name + if_name] = job;
    model_.living[name][if_name] = Model::places_of(list).value();
  }

  std::mt19937 random_;
  PortWorld world_;
  Model model_;
  std::map<std::string, std::vector<Written>> lists_;  ///< by container
  std::map<std::string, Attachment> jobs_;             ///< by container and interface
  std::map<std::string, Json> results_;
  std::ostringstream said_;
};

class RandomPortLists : public ::testing::TestWithParam<unsigned> {};

TEST_P(RandomPortLists, AnswerAsTheModelSays) {
  RandomPorts ports(GetParam());
  for (int step = 0; step < 16 && !::testing::Test::HasFailure(); ++step) {
    ports.step();
    if (step % 3 == 2) ports.expect_answers();
  }
  ports.expect_answers();
  ports.end();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPortLists, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace unicni::test::port_owner_test
