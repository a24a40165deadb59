// Published ports with packets: who reaches them, and as whom the container's server sees him,
// under every kind of FORWARD, beside the reference. modules/portmap/README.md shows the table.
#include <algorithm>
#include <array>
#include <functional>

#include "integration/port_world.h"

namespace unicni::test::port_matrix_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kAny = 8080;
constexpr int kOneAddress = 8081;
constexpr int kLoopback4 = 8082;
constexpr int kLoopback6 = 8083;

/// A kind of mapping, in one family.
struct Row {
  const char* host_ip;
  bool v6;
  int port;
};
constexpr std::array kRows = {
    Row{"any", false, kAny},
    Row{"any", true, kAny},
    Row{"one address", false, kOneAddress},
    Row{"one address", true, kOneAddress},
    Row{"127.0.0.1", false, kLoopback4},
    Row{"::1, with `ipv6Loopback` ¹", true, kLoopback6},
};

/// Who knocks, and where. The container with the ports is c1, c2 is on the same bridge, c3 isn't.
struct Column {
  const char* title;
  const char* from;
  bool loopback;  ///< to 127.0.0.1 or ::1, else to the host's own address
};
constexpr std::array kColumns = {
    Column{"outside", "outside", false},    Column{"host, own address", "host", false},
    Column{"host, loopback", "host", true}, Column{"the container itself", "c1", false},
    Column{"sibling", "c2", false},         Column{"container of another network", "c3", false},
};
constexpr std::array kForwards = {Forward::accept, Forward::drop_nft, Forward::drop_legacy,
                                  Forward::firewalld};
constexpr const char* kNobody = "–";
constexpr std::array kTransports = {Transport::tcp, Transport::udp};

/// Cells of one host, by row, column and transport: "client", "host", "–", or the address.
using Cells = std::array<std::array<std::array<std::string, 2>, kColumns.size()>, kRows.size()>;

std::string word_for(const KnockAnswer& answer, const PortWorld& world) {
  if (answer.server.empty()) return kNobody;
  EXPECT_EQ(answer.server, "c1");
  if (answer.seen == answer.own) return "client";
  const auto& ips = world.result_of("c1")["ips"];
  const auto is_gateway = [&](const Json& ip) { return ip.value("gateway", "") == answer.seen; };
  if (std::any_of(ips.begin(), ips.end(), is_gateway)) return "host";
  return answer.seen;
}

/// Where the kernel lets them pass, it translates answers to ::1 on the bridge already, and
/// ip6_rcv() takes none to ::1 from a wire.
void keep_bridged_packets_from_ip6tables() {
  if (exists("/proc/sys/net/bridge/bridge-nf-call-ip6tables")) {
    tool({"sysctl", "-qw", "net.bridge.bridge-nf-call-ip6tables=0"});
  }
}

Json mappings() {
  Json all = Json::array();
  const auto add = [&](int port, const std::string& host_ip) {
    for (const Json& each : published(port, host_ip)) all.push_back(each);
  };
  add(kAny, "");
  add(kOneAddress, kHost4);
  add(kOneAddress, kHost6);
  add(kLoopback4, "127.0.0.1");
  add(kLoopback6, "::1");
  return all;
}

void fill(Cells& cells, PortWorld& world, const std::function<bool(const Row&)>& of) {
  std::vector<Knock> knocks;
  std::vector<std::string*> places;
  for (std::size_t row = 0; row < kRows.size(); ++row) {
    if (!of(kRows[row])) continue;
    const std::string loopback = kRows[row].v6 ? "::1" : "127.0.0.1";
    const std::string own = kRows[row].v6 ? kHost6 : kHost4;
    for (std::size_t column = 0; column < kColumns.size(); ++column) {
      const auto& [title, from, to_loopback] = kColumns[column];
      for (std::size_t i = 0; i < kTransports.size(); ++i) {
        knocks.push_back(
            {world.netns_of(from), kTransports[i], to_loopback ? loopback : own, kRows[row].port});
        places.push_back(&cells[row][column][i]);
      }
    }
  }
  const auto answers = world.knock(knocks);
  for (std::size_t i = 0; i < answers.size(); ++i) *places[i] = word_for(answers[i], world);
}

Cells seen_on(PortWorld& world) {
  Cells cells;
  const auto is_v6_loopback = [](const Row& row) { return row.port == kLoopback6; };
  fill(cells, world, std::not_fn(is_v6_loopback));
  keep_bridged_packets_from_ip6tables();
  fill(cells, world, is_v6_loopback);
  return cells;
}

Cells measure(Forward forward, Maker maker) {
  PortWorld world(forward);
  const Json portmap = maker == Maker::ours ? Json{{"ipv6Loopback", true}} : Json::object();
  world.add("c1", PortWorld::list(1, mappings(), portmap), maker);
  world.add("c2", PortWorld::list(1, Json::array()), maker);
  world.add("c3", PortWorld::list(2, Json::array()), maker);
  return seen_on(world);
}

/// "host", or where hosts or transports differ "host (firewalld udp: –)".
std::string cell_text(const std::vector<std::pair<std::string, Cells>>& hosts, std::size_t row,
                      std::size_t column) {
  const std::string usual = hosts.front().second[row][column][0];
  std::string differences;
  for (const auto& [name, cells] : hosts) {
    for (std::size_t i = 0; i < kTransports.size(); ++i) {
      const std::string& cell = cells[row][column][i];
      if (cell == usual) continue;
      differences += differences.empty() ? "" : ", ";
      differences += name + (i == 0 ? " tcp: " : " udp: ") + cell;
    }
  }
  return differences.empty() ? usual : usual + " (" + differences + ')';
}

std::string table_of(const std::vector<std::pair<std::string, Cells>>& hosts) {
  std::string text = "| hostIP | family |";
  std::string line = "|---|---|";
  for (const Column& column : kColumns) {
    text += std::string(" ") + column.title + " |";
    line += "---|";
  }
  text += '\n' + line + '\n';
  for (std::size_t row = 0; row < kRows.size(); ++row) {
    text += std::string("| ") + kRows[row].host_ip + (kRows[row].v6 ? " | IPv6 |" : " | IPv4 |");
    for (std::size_t column = 0; column < kColumns.size(); ++column) {
      text += ' ' + cell_text(hosts, row, column) + " |";
    }
    text += '\n';
  }
  return text;
}

using Hosts = std::vector<std::pair<std::string, Cells>>;

std::string section_of(const Hosts& ours, const Cells& reference) {
  return "What the container's server sees as its caller, tcp and udp alike, whether FORWARD "
         "accepts, drops by iptables-nft or by\niptables-legacy, or belongs to firewalld: "
         "`client`: "
         "the caller's own address, `host`: one of the host's, –: no connection.\n\n" +
         table_of(ours) +
         "\nThe reference's bridge, portmap and firewall where FORWARD accepts:\n\n" +
         table_of({{"reference", reference}}) +
         "\n¹ Where net.bridge.bridge-nf-call-ip6tables is 0, or behind ptp. Without the option "
         "ADD "
         "leaves `::1` out: Linux takes answers\nto ::1 from `lo` only. With the option `[::1]` "
         "leads "
         "to "
         "ports of any address, too.\n";
}

std::string section_in_readme() {
  const std::string text = read_file(std::string(UNICNI_SOURCE_DIR) + "/modules/portmap/README.md");
  const std::string begin = "<!-- matrix -->\n";
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find("<!-- /matrix -->");
  if (from == std::string::npos || to == std::string::npos) return {};
  return text.substr(from + begin.size(), to - from - begin.size());
}

TEST(PortMatrix, IsTheReadmesAndNothingOfTheReferencesIsMissing) {
  const Cells reference = measure(Forward::accept, Maker::reference);
  Hosts ours;
  for (const Forward forward : kForwards) {
    ours.emplace_back(name_of(forward), measure(forward, Maker::ours));
    const Cells& cells = ours.back().second;
    for (std::size_t row = 0; row < kRows.size(); ++row) {
      for (std::size_t column = 0; column < kColumns.size(); ++column) {
        for (std::size_t i = 0; i < kTransports.size(); ++i) {
          if (reference[row][column][i] == kNobody) continue;
          EXPECT_NE(cells[row][column][i], kNobody)
              << name_of(forward) << ": " << kRows[row].host_ip
              << (kRows[row].v6 ? " IPv6" : " IPv4") << " from " << kColumns[column].title
              << (i == 0 ? " by tcp" : " by udp");
        }
      }
    }
  }
  const std::string section = section_of(ours, reference);
  EXPECT_EQ(section, section_in_readme())
      << "modules/portmap/README.md is to have between <!-- matrix --> and <!-- /matrix -->:\n"
      << section;
}

class PortMatrixUnder : public ::testing::TestWithParam<Forward> {
 protected:
  bool drops() const { return GetParam() != Forward::accept; }
};

TEST_P(PortMatrixUnder, NothingElseIsOpened) {
  PortWorld world(GetParam());
  world.add("c1", PortWorld::list(1, published(kAny)));
  world.add("c2", PortWorld::list(1, Json::array()));
  tool({"nft", "add", "table", "inet", "foreign"});
  tool({"nft", "add", "chain", "inet", "foreign", "marks",
        "{ type filter hook prerouting priority mangle; policy accept; }"});
  for (const bool marked : {false, true}) {
    SCOPED_TRACE(marked ? "the bit is set on arrival" : "as it comes");
    if (marked) {
      tool({"nft", "add", "rule", "inet", "foreign", "marks", "iifname", "up0", "meta", "mark",
            "set", "0x1000"});
    }
    std::vector<Knock> knocks;
    std::vector<std::string> expected;
    const auto expect = [&](const std::string& from, const std::string& to, int port,
                            const std::string& server) {
      for (const Transport transport : kTransports) {
        knocks.push_back({world.netns_of(from), transport, to, port});
        expected.push_back(server);
      }
    };
    for (const bool v6 : {false, true}) {
      const std::string host = v6 ? kHost6 : kHost4;
      expect("outside", host, kAny, "c1");
      // By a route, past DNAT: published, not published, another container.
      expect("outside", world.address("c1", v6), kContainerPort, drops() ? "" : "c1");
      expect("outside", world.address("c1", v6), kUnpublishedPort, drops() ? "" : "c1");
      expect("outside", world.address("c2", v6), kContainerPort, drops() ? "" : "c2");
      expect("outside", world.address("c1", v6), kAny, "");
      expect("outside", host, kLoopback4, "");
    }
    const auto answers = world.knock(knocks);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_EQ(answers[i].server, expected[i])
          << knocks[i].to << ' ' << knocks[i].port
          << (knocks[i].transport == Transport::tcp ? " tcp" : " udp");
    }
  }
}

/// What firewall lets through on these hosts, ports or not.
TEST_P(PortMatrixUnder, ContainersReachOutsideAndEachOther) {
  PortWorld world(GetParam());
  world.add("c1", PortWorld::list(1, Json::array()));
  world.add("c2", PortWorld::list(1, Json::array()));
  world.add("c3", PortWorld::list(2, Json::array()));
  world.serve("outside", world.outside().fd(), {kContainerPort});
  std::vector<Knock> knocks;
  std::vector<std::string> expected;
  const auto expect = [&](const std::string& from, const std::string& to, const char* server,
                          const std::string& seen) {
    for (const Transport transport : kTransports) {
      knocks.push_back({world.netns_of(from), transport, to, kContainerPort});
      expected.push_back(from + " " + server + " " + seen);
    }
  };
  for (const bool v6 : {false, true}) {
    const auto address = [&](const std::string& name) { return world.address(name, v6); };
    expect("c1", v6 ? kOutside6 : kOutside4, "outside", v6 ? kHost6 : kHost4);
    expect("c1", address("c2"), "c2", address("c1"));
    expect("c3", address("c1"), "c1", v6 ? "fd00:11::1" : "10.11.0.1");
    expect("host", address("c1"), "c1", v6 ? "fd00:11::1" : "10.11.0.1");
  }
  const auto answers = world.knock(knocks);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string from = expected[i].substr(0, expected[i].find(' '));
    EXPECT_EQ(from + " " + answers[i].server + " " + answers[i].seen, expected[i]) << knocks[i].to;
  }
}

TEST_P(PortMatrixUnder, TheRulesOfOthersAreAsBeforeAfterTheLastDel) {
  PortWorld world(GetParam());
  const std::string before = PortWorld::foreign_rules();
  const Attachment first = world.add("c1", PortWorld::list(1, published(kAny)));
  const Attachment second = world.add("c2", PortWorld::list(1, published(kOneAddress)));
  EXPECT_EQ(world.reaches("outside", Transport::tcp, kHost4, kAny), "c1");
  EXPECT_EQ(world.reaches("outside", Transport::tcp, kHost6, kOneAddress), "c2");
  world.remove(first);
  EXPECT_EQ(world.reaches("outside", Transport::tcp, kHost4, kAny), "");
  world.remove(second);
  EXPECT_EQ(PortWorld::foreign_rules(), before);
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

/// With bridge-nf-call-iptables what is bridged passes the host's rules, and a DNATed packet to its
/// own sender leaves by the port that it came in by.
TEST_P(PortMatrixUnder, HairpinWithAndWithoutBrNetfilter) {
  for (const char* value : {"1", "0"}) {
    SCOPED_TRACE(value);
    PortWorld world(GetParam());
    if (!exists("/proc/sys/net/bridge/bridge-nf-call-iptables")) break;  // its one state is above
    for (const char* key : {"iptables", "ip6tables"}) {
      tool({"sysctl", "-qw", std::string("net.bridge.bridge-nf-call-") + key + '=' + value});
    }
    world.add("c1", PortWorld::list(1, published(kAny)));
    world.add("c2", PortWorld::list(1, Json::array()));
    std::vector<Knock> knocks;
    for (const char* to : {kHost4, kHost6}) {
      for (const char* from : {"c1", "c2"}) {
        for (const Transport transport : kTransports) {
          knocks.push_back({world.netns_of(from), transport, to, kAny});
        }
      }
    }
    for (const KnockAnswer& answer : world.knock(knocks)) {
      EXPECT_EQ(word_for(answer, world), "host") << answer.own;
    }
  }
}

TEST_P(PortMatrixUnder, BehindPtp) {
  PortWorld world(GetParam());
  Json ports = published(kAny);
  for (const Json& each : published(kLoopback4, "127.0.0.1")) ports.push_back(each);
  world.add("c1", PortWorld::ptp_list(1, ports));
  world.add("c2", PortWorld::ptp_list(1, Json::array()));
  world.add("c3", PortWorld::list(2, Json::array()));
  struct Case {
    const char* from;
    const char* to;
    int port;
    const char* expected;
  };
  std::vector<Knock> knocks;
  std::vector<std::string> expected;
  for (const Case& each : {
           Case{"outside", kHost4, kAny, "client"},
           Case{"outside", kHost6, kAny, "client"},
           Case{"host", kHost4, kAny, "client"},
           Case{"host", kHost6, kAny, "client"},
           Case{"host", "127.0.0.1", kAny, "host"},
           Case{"host", "127.0.0.1", kLoopback4, "host"},
           Case{"c1", kHost4, kAny, "host"},
           Case{"c1", kHost6, kAny, "host"},
           Case{"c2", kHost4, kAny, "host"},
           Case{"c2", kHost6, kAny, "host"},
           Case{"c3", kHost4, kAny, "host"},
           Case{"c3", kHost6, kAny, "host"},
           Case{"outside", kHost4, kLoopback4, kNobody},
           Case{"c2", kHost4, kLoopback4, kNobody},
       }) {
    for (const Transport transport : kTransports) {
      knocks.push_back({world.netns_of(each.from), transport, each.to, each.port});
      expected.push_back(std::string(each.from) + ": " + each.expected);
    }
  }
  const auto answers = world.knock(knocks);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string from = expected[i].substr(0, expected[i].find(':'));
    EXPECT_EQ(from + ": " + word_for(answers[i], world), expected[i])
        << knocks[i].to << ' ' << knocks[i].port;
  }
}

INSTANTIATE_TEST_SUITE_P(Forward, PortMatrixUnder, ::testing::ValuesIn(kForwards),
                         [](const auto& each) {
                           std::string name = name_of(each.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(PortMatrix, LoopbackOfIPv6LeadsToPortsOfAnyAddressToo) {
  PortWorld world;
  world.add("c1", PortWorld::list(1, published(kAny), {{"ipv6Loopback", true}}));
  world.add("c2", PortWorld::ptp_list(2, published(kOneAddress), {{"ipv6Loopback", true}}));
  for (const Transport transport : kTransports) {
    EXPECT_EQ(world.reaches("host", transport, "::1", kOneAddress), "c2") << "ptp";
  }
  keep_bridged_packets_from_ip6tables();
  for (const Transport transport : kTransports) {
    EXPECT_EQ(world.reaches("host", transport, "::1", kAny), "c1") << "another route";
  }
}

TEST(PortMatrix, LoopbackOfIPv6IsLeftOutWithoutTheOption) {
  PortWorld world;
  world.make("c1");
  Json ports = published(kLoopback6, "::1");
  for (const Json& each : published(kAny)) ports.push_back(each);
  const Output output = world.job("c1", PortWorld::list(1, ports)).add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err, HasSubstr("ipv6Loopback"));
  EXPECT_EQ(world.reaches("outside", Transport::tcp, kHost4, kAny), "c1");
}

}  // namespace
}  // namespace unicni::test::port_matrix_test
