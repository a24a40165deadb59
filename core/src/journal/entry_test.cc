#include "journal/entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal/record_for_test.h"
#include "unicni/ip.h"
#include "unicni/line.h"

namespace unicni::journal {

bool operator==(const RecordedStep& a, const RecordedStep& b) {
  return a.type == b.type && a.config == b.config && a.undo == b.undo && a.result == b.result &&
         a.id == b.id && a.ordinal == b.ordinal && a.args == b.args &&
         a.container_netns == b.container_netns && a.netns_path == b.netns_path;
}
bool operator==(const Entry& a, const Entry& b) {
  return a.key == b.key && a.place == b.place && a.container_netns == b.container_netns &&
         a.netns_path == b.netns_path && a.steps == b.steps;
}

}  // namespace unicni::journal

namespace unicni::journal::entry_test {
namespace {

using ::testing::ElementsAre;

std::string line_of(std::string_view word) { return LineWriter(word).finish(); }

Entry every_record() {
  Entry entry;
  entry.key = {"net 1%\n=#", "ctr", std::string("e\xff\xfeh0\0x", 7)};
  entry.place = {"boot-id", "cookie:1"};
  entry.container_netns = "cookie:77";
  entry.netns_path = "/var/run/netns/a b";
  RecordedStep bridge{"bridge", "{\n  \"type\": \"bridge\" }", {}, "{\"ips\":[]}"};
  bridge.undo = {undo_bridge("cni0"),
                 record_of("shared-address", {{"link", "cni0"}, {"address", "10.0.0.1/24"}}),
                 undo_file("/var/lib/cni/networks/n/10.0.0.2", "ctr\r\neth0"),
                 undo_veth("veth1", "net/ctr/eth0"),
                 record_of("nft", {{"set", "masq4"},
                                   {"key", std::string("\x0a\0\0\x01", 4)},
                                   {"owner", "net/ctr/eth0"}}),
                 record_of("delegate", {{"type", "dhcp"},
                                        {"program", "/opt/cni/bin/dhcp"},
                                        {"request", "{\"a\":\"%41 b\"}"}}),
                 Undo{"future", 9, true, {{"", ""}, {"same", "1"}, {"same", "2"}, {".dot", "=#"}}}};
  // What a step says of its namespace is that of the entry, until another life moves it.
  const auto place = [&](RecordedStep& step, std::size_t id) {
    step.id = id;
    step.container_netns = entry.container_netns;
    step.netns_path = entry.netns_path;
  };
  RecordedStep portmap{"portmap", "", {}, ""};
  RecordedStep tuning{"tuning", "{}", {undo_sysctl("net/ipv4/ip_forward", "0")}, "{}"};
  RecordedStep again = tuning;
  tuning.ordinal = 2;
  tuning.args = "IgnoreUnknown=1;K8S_POD_NAME=a b";
  again.ordinal = 3;
  place(bridge, 0);
  place(portmap, 1);
  place(tuning, 2);
  again.id = 3;
  entry.container_netns = again.container_netns = "cookie:78";
  entry.netns_path = again.netns_path = "/var/run/netns/another";
  entry.steps = {bridge, portmap, tuning, again};
  entry.begun = 4;
  return entry;
}

TEST(Entry, RoundTripOfEveryRecord) {
  const Entry entry = every_record();
  const auto again = parse_entry(print_entry(entry));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(*again == entry) << print_entry(*again);
  EXPECT_EQ(read_key(print_entry(entry)), entry.key);
}

/// What policies and chains made of a step: DEL and CHECK go by it.
TEST(Entry, WhatWasAskedForItsSourceAndItsDelegateComeBack) {
  Entry entry = every_record();
  RecordedStep& step = entry.steps[1];
  step.asked = R"({"mtu": 9000, "b": "a b=#%\n"})";
  step.source = "chain /etc/unicni/chains/web.yaml; override portmap.mtu=1: a rule (p.yaml:6)";
  step.delegate = R"({"type":"bridge"})";
  const auto again = parse_entry(print_entry(entry));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->steps[1].asked, step.asked);
  EXPECT_EQ(again->steps[1].source, step.source);
  EXPECT_EQ(again->steps[1].delegate, step.delegate);
  EXPECT_EQ(again->steps[2].asked + again->steps[2].source + again->steps[2].delegate, "");
}

TEST(Entry, ADelegateIsOfTheStepBegunLast) {
  const std::string header = header_line(every_record());
  EXPECT_FALSE(parse_entry(header + delegate_line("{}")).has_value()) << "of no step";
  const auto found = parse_entry(print_entry(every_record()) + delegate_line("{\"a\":1}"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->steps.back().delegate, "{\"a\":1}");
  EXPECT_EQ(found->steps.front().delegate, "");
}

TEST(Entry, TornLastLineIsDroppedAtEveryByte) {
  const Entry entry = every_record();
  const std::string whole = print_entry(entry);
  const std::string last = undo_line(undo_veth("veth2", "x"));
  for (std::size_t kept = 0; kept < last.size(); ++kept) {
    const auto found = read_entry(whole + last.substr(0, kept));
    ASSERT_TRUE(found.has_value()) << kept;
    EXPECT_TRUE(found->entry == entry) << kept;
    EXPECT_EQ(found->size, whole.size());
  }
  EXPECT_FALSE(*parse_entry(whole + last) == entry);
}

TEST(Entry, TornHeaderIsNoEntry) {
  const std::string header = header_line(every_record());
  for (std::size_t kept = 0; kept < header.size(); ++kept) {
    EXPECT_FALSE(parse_entry(header.substr(0, kept)).has_value()) << kept;
    EXPECT_FALSE(read_key(header.substr(0, kept)).has_value()) << kept;
  }
  EXPECT_TRUE(parse_entry(header).has_value());
}

TEST(Entry, DamageBeforeTheLastLineIsNoEntry) {
  const std::string text = print_entry(every_record());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    if (i + 1 == text.size()) {
      EXPECT_TRUE(parse_entry(damaged).has_value()) << "only the newline is missing";
    } else {
      EXPECT_FALSE(parse_entry(damaged).has_value()) << i;
    }
  }
}

TEST(Entry, RecordsOutsideOfAStepAreNoEntry) {
  const std::string header = header_line(every_record());
  EXPECT_FALSE(parse_entry(header + done_line("{}")).has_value());
  EXPECT_FALSE(parse_entry(header + undo_line(undo_bridge("b"))).has_value());
}

TEST(Entry, LinesOfANewerProgramAreSkipped) {
  const Entry entry = every_record();
  const auto found = parse_entry(print_entry(entry) + line_of("marvel") + line_of(""));
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(*found == entry);
}

TEST(Entry, OtherFormatVersionIsNoEntry) {
  EXPECT_FALSE(parse_entry(LineWriter("unicni-journal").add("version", "2").finish()).has_value());
  EXPECT_FALSE(parse_entry(LineWriter("other").add("version", "1").finish()).has_value());
}

TEST(Entry, UndoVersionMustBeANumber) {
  const std::string start = header_line({}) + step_line({}, {"t", "", {}, {}});
  for (const char* version : {"", "x", "1x", "-1", "99999999999"}) {
    EXPECT_FALSE(
        parse_entry(start + LineWriter("undo").add("type", "t").add("version", version).finish())
            .has_value())
        << version;
  }
}

std::vector<std::string> types_of(const std::optional<Entry>& entry) {
  std::vector<std::string> types;
  for (const RecordedStep& step : entry.value().steps) types.push_back(step.type);
  return types;
}

TEST(Entry, OfTwoStepsOfATypeOneIsForgotten) {
  const std::string text = print_entry(every_record());
  const auto found = parse_entry(text + forget_line(2));
  EXPECT_THAT(types_of(found), ElementsAre("bridge", "portmap", "tuning"));
  EXPECT_EQ(found->steps.back().ordinal, 3U);
  EXPECT_EQ(found->steps.back().id, 3U) << "the others keep their ids";
  EXPECT_THAT(types_of(parse_entry(text + forget_line(2) + forget_line(0))),
              ElementsAre("portmap", "tuning"));
  EXPECT_FALSE(parse_entry(text + forget_line(4)).has_value()) << "nobody ever began that one";
}

TEST(Entry, EarlierVersionsForgetAllStepsOfAType) {
  const std::string text = print_entry(every_record());
  const std::string line = LineWriter("forget").add("type", "tuning").finish();
  EXPECT_THAT(types_of(parse_entry(text + line)), ElementsAre("bridge", "portmap"));
}

TEST(Entry, EachStepKnowsTheNamespaceItSaw) {
  const auto found = parse_entry(print_entry(every_record()));
  EXPECT_EQ(found.value().steps[2].container_netns, "cookie:77");
  EXPECT_EQ(found.value().steps[3].container_netns, "cookie:78");
}

TEST(Entry, AHeaderOfAnotherVersionIsANewerProgramsFile) {
  EXPECT_TRUE(is_of_future(LineWriter("unicni-journal").add("version", "2").finish() + "x"));
  EXPECT_FALSE(is_of_future(print_entry(every_record())));
  EXPECT_FALSE(
      is_of_future(LineWriter("unicni-journal").add("version", "2").finish().substr(0, 9)));
  EXPECT_FALSE(is_of_future(LineWriter("other").add("version", "2").finish()));
}

TEST(Entry, StepMovesTheEntryToItsNamespace) {
  Entry entry;
  entry.container_netns = "cookie:1";
  entry.netns_path = "/a";
  const std::string header = header_line(entry);
  const auto moved = [&](const std::string& netns, const std::string& path) {
    RecordedStep step{"t", "{}", {}, {}};
    step.container_netns = netns;
    step.netns_path = path;
    const auto found = parse_entry(header + step_line(entry, step));
    return found.value().container_netns + "," + found.value().netns_path;
  };
  EXPECT_EQ(moved("cookie:2", "/a"), "cookie:2,/a");
  EXPECT_EQ(moved("cookie:1", "/b"), "cookie:1,/b");
  EXPECT_EQ(moved("", "/a"), "cookie:1,/a") << "a step that opens no namespace";
  EXPECT_EQ(moved("", "/b"), ",/b") << "another path: what is known of the old one is void";
}

}  // namespace
}  // namespace unicni::journal::entry_test
