// A published SCTP port with real sockets.
#include "integration/port_world.h"

namespace unicni::test::sctp_port_test {
namespace {

TEST(SctpPort, LeadsToTheContainerWhereForwardDrops) {
  PortWorld world(Forward::drop_nft);
  const Json mapping = {{"hostPort", 9000}, {"containerPort", 9001}, {"protocol", "sctp"}};
  world.add("c1", PortWorld::list(1, Json::array({mapping})));
  world.serve("sctp", world.netns_of("c1"), {9001}, {Transport::sctp});
  std::vector<Knock> knocks;
  for (const char* to : {kHost4, kHost6}) {
    for (const char* from : {"outside", "host", "c1"}) {
      knocks.push_back({world.netns_of(from), Transport::sctp, to, 9000});
    }
  }
  knocks.push_back({world.netns_of("outside"), Transport::sctp, kHost4, 9001});
  const auto answers = world.knock(knocks, std::chrono::seconds(5));
  const std::vector<std::string> seen = {kOutside4, kHost4,       "10.11.0.1", kOutside6,
                                         kHost6,    "fd00:11::1", ""};
  for (std::size_t i = 0; i < knocks.size(); ++i) {
    EXPECT_EQ(answers[i].server, seen[i].empty() ? "" : "sctp") << i;
    EXPECT_EQ(answers[i].seen, seen[i]) << i;
  }
}

}  // namespace
}  // namespace unicni::test::sctp_port_test
