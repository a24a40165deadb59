// ruleset.nft is what a person reads to know the whole ruleset: it says what the code makes.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "net/netlink_socket.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/base.h"

namespace unicni::net::ruleset_test {
namespace {

std::vector<std::string> lines_of_file() {
  std::ifstream file(UNICNI_RULESET);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

class RulesetTest : public PrivateNetnsTest {};

/// Both through nft, so that its version and the file's comments and gaps don't matter.
TEST_F(RulesetTest, TheFileIsWhatTheCodeMakes) {
  const NewNetns other;
  std::string read;
  other.open().run([&] {
    shell(std::string("nft -f ") + UNICNI_RULESET);
    read = shell("nft list ruleset");
  });
  NetlinkSocket socket(NETLINK_NETFILTER);
  NftParts all = nft_parts_of(NftTable::inet);
  for (const auto use : {NftPrefixPart::Use::masquerade, NftPrefixPart::Use::hairpin,
                         NftPrefixPart::Use::hairpin_bit}) {
    all.prefixes.insert({use, Family::v4, 16});
    all.prefixes.insert({use, Family::v6, 64});
  }
  ASSERT_TRUE(create_nft_base(socket, NftTable::inet, all));
  ASSERT_TRUE(create_nft_base(socket, NftTable::bridge, nft_parts_of(NftTable::bridge)));
  EXPECT_EQ(shell("nft list ruleset"), read);
}

/// One sentence for those that differ in numbers alone: a family's or a bit's.
TEST(RulesetFileTest, EachChainAndSetHasItsSentence) {
  const std::regex head(R"(^\t(set|map|chain) (\w+) \{$)");
  const auto lines = lines_of_file();
  std::string before;  // the name that stands above, without digits
  std::size_t count = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::smatch match;
    if (!std::regex_match(lines[i], match, head)) continue;
    const std::string name = std::regex_replace(match[2].str(), std::regex("\\d+"), "");
    const bool follows = lines[i - 1] == "\t}" && name == before;
    EXPECT_TRUE(follows || lines[i - 1].starts_with("\t# ")) << i + 1 << ": " << lines[i];
    before = name;
    ++count;
  }
  EXPECT_GT(count, 100U);
}

}  // namespace
}  // namespace unicni::net::ruleset_test
