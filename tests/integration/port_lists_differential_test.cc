// Random lists of one to six mappings that meet each other, by Debian's plugins and by ours with
// either backend: the same ports answer, at the same addresses, with the same port of the
// container, and see the same caller. The lists are those of the seeds below.
#include "integration/port_list.h"

namespace unicni::test::port_lists_differential_test {
namespace {

constexpr unsigned kSeeds = 12;

/// "from PROTOCOL ADDRESS PORT" → who answers, and whom he sees.
using Answers = std::map<std::string, std::string>;

class PortListsDifferential : public ::testing::Test {
 protected:
  /// What answers on each list, one after the other in one world.
  static std::vector<Answers> answers(Maker maker, const Json& portmap,
                                      const std::vector<Answers>* expected = nullptr) {
    PortWorld world;
    // Who isn't let in shall know at once.
    tool({"sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"});
    std::vector<Answers> all;
    for (const auto& list : port_lists(kSeeds, false)) {
      SCOPED_TRACE(port_mappings(list).dump());
      const Json config = PortWorld::list(1, port_mappings(list), portmap);
      world.make("c1", true);
      const Attachment job = world.attach("c1", config, "eth0", maker);
      all.push_back(look_for(world, expected != nullptr ? &expected->at(all.size()) : nullptr));
      if (maker == Maker::ours) {
        expect_silent_success(job.check(world.result_of("c1")));
        expect_silent_success(job.del(world.result_of("c1")));
      } else {
        remove_reference(world, job);
      }
      for (const auto& [where, who] : look(world)) EXPECT_EQ(who, "") << "after DEL: " << where;
      world.kill("c1");
    }
    return all;
  }

 private:
  static void remove_reference(const PortWorld& world, const Attachment& job) {
    const Json& plugins = job.config["plugins"];
    for (auto plugin = plugins.rbegin(); plugin != plugins.rend(); ++plugin) {
      Attachment step = job;
      step.folder = step.cni_path = kReferenceDir;
      step.config = *plugin;
      for (const char* key : {"cniVersion", "name", "runtimeConfig"}) {
        step.config[key] = job.config[key];
      }
      expect_silent_success(step.del(world.result_of("c1")));
    }
  }
  static std::string name(const std::string& address, const std::string& own) {
    if (address.empty()) return "";
    return address == own ? " sees the caller" : " sees the host";
  }
  /// A busy machine answers late: where another answer is expected, it is looked again.
  static Answers look_for(PortWorld& world, const Answers* expected) {
    constexpr int kLooks = 4;
    Answers found = look(world);
    for (int looks = 1; expected != nullptr && found != *expected && looks < kLooks; ++looks) {
      found = look(world);
    }
    return found;
  }
  static Answers look(PortWorld& world) {
    std::vector<Knock> knocks;
    std::vector<std::string> keys;
    for (const char* from : {"outside", "host", "c1"}) {
      for (const char* address : {kHost4, kHost6, "127.0.0.1"}) {
        if (std::string(address) == "127.0.0.1" && std::string(from) != "host") continue;
        for (const int port : kListedPorts) {
          for (const Transport transport : {Transport::tcp, Transport::udp}) {
            knocks.push_back({world.netns_of(from), transport, address, port});
            keys.push_back(std::string(from) + (transport == Transport::tcp ? " tcp " : " udp ") +
                           address + ' ' + std::to_string(port));
          }
        }
      }
    }
    const auto answers = world.knock(knocks, std::chrono::milliseconds(700));
    Answers found;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      found[keys[i]] = answers[i].server + name(answers[i].seen, answers[i].own);
    }
    return found;
  }
};

TEST_F(PortListsDifferential, AnswerAsTheReferences) {
  const std::vector<Answers> reference = answers(Maker::reference, {{"backend", "iptables"}});
  std::size_t open = 0;
  for (const Answers& each : reference) {
    for (const auto& [where, who] : each) open += who.empty() ? 0 : 1;
  }
  EXPECT_GT(open, 100U) << "somebody answers";
  for (const char* backend : {"nftables", "iptables"}) {
    SCOPED_TRACE(backend);
    const std::vector<Answers> ours = answers(Maker::ours, {{"backend", backend}}, &reference);
    ASSERT_EQ(ours.size(), reference.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      SCOPED_TRACE(port_mappings(port_lists(kSeeds, false)[i]).dump());
      EXPECT_EQ(ours[i], reference[i]);
    }
  }
}

/// What was left out above is refused, and only that.
TEST_F(PortListsDifferential, TwoPortsOfTheContainerAtOneAreAnError) {
  PortWorld world;
  world.make("c1");
  for (const auto& list : port_lists(kSeeds, true)) {
    SCOPED_TRACE(port_mappings(list).dump());
    const Attachment job = world.job("c1", PortWorld::list(1, port_mappings(list)));
    const Json error = expect_error(job.add(), 7);
    EXPECT_NE(error["msg"].get<std::string>().find("leads to one port of the container"),
              std::string::npos)
        << error;
    expect_silent_success(job.del());
  }
}

}  // namespace
}  // namespace unicni::test::port_lists_differential_test
