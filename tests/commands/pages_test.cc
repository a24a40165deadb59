// What the programs print about themselves for bash and man.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.h"
#include "support/sandbox.h"

namespace unicni::test::pages_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

class Programs : public ::testing::TestWithParam<const char*> {
 protected:
  Sandbox sandbox_;
};

/// What bash offers for the last of the words, by the program's script alone.
std::vector<std::string> completions(const std::string& program,
                                     const std::vector<std::string>& words,
                                     const std::vector<std::string>& env = {}) {
  write_file("/run/completion", command(program, {"completion", "bash"}).out);
  std::string script = "source /run/completion\nCOMP_WORDS=(" + program;
  for (const std::string& word : words) script += " '" + word + "'";
  script += ")\nCOMP_CWORD=" + std::to_string(words.size()) + "\n_unicni_" + program +
            "\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  std::vector<std::string> whole = env;
  whole.push_back("PATH=" + stage() + "/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  const Output output = run({.argv = {"bash", "--norc"}, .env = whole, .in = script});
  EXPECT_EQ(output.err, "") << script;
  std::vector<std::string> lines;
  std::istringstream in(output.out);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST_P(Programs, SayTheirVersion) {
  EXPECT_EQ(command(GetParam(), {"--version"}).out,
            std::string("unicni ") + GetParam() + ' ' + UNICNI_VERSION + '\n');
}

TEST_P(Programs, HaveAManualThatIsRoff) {
  const Output page = command(GetParam(), {"--man-page"});
  EXPECT_EQ(page.status, 0);
  EXPECT_THAT(page.out, AllOf(HasSubstr(".SH NAME\n"), HasSubstr(".SH EXIT STATUS\n")));
  for (std::size_t at = page.out.find("\n."); at != std::string::npos;
       at = page.out.find("\n.", at + 1)) {
    const std::string request =
        page.out.substr(at + 2, page.out.find_first_of(" \n", at + 2) - at - 2);
    EXPECT_THAT((std::vector<std::string>{"SH", "SS", "TP", "PP", "RS", "RE", "nf", "fi"}),
                ::testing::Contains(request));
  }
}

#ifdef UNICNI_HAS_PAGES
TEST_P(Programs, AreInstalledWithTheirPages) {
  const std::string name = GetParam();
  EXPECT_EQ(read_file(stage() + "/share/bash-completion/completions/" + name),
            command(name, {"completion", "bash"}).out);
  EXPECT_EQ(read_file(stage() + "/share/man/man1/" + name + ".1"),
            command(name, {"--man-page"}).out);
}
#endif

TEST_P(Programs, CompleteTheirVerbs) {
  EXPECT_THAT(completions(GetParam(), {""}), IsSupersetOf({"completion", "--help", "--version"}));
  EXPECT_THAT(completions(GetParam(), {"compl"}), ::testing::ElementsAre("completion"));
  EXPECT_THAT(completions(GetParam(), {"completion", ""}), ::testing::ElementsAre("bash"));
  EXPECT_THAT(completions(GetParam(), {"no-verb", ""}), ::testing::ElementsAre(""));
}

INSTANTIATE_TEST_SUITE_P(All, Programs, ::testing::Values("cnitool", "unictl"),
                         [](const auto& program) { return std::string(program.param); });

class UnictlCompletion : public ::testing::Test {
 protected:
  Sandbox sandbox_;
};

TEST_F(UnictlCompletion, OffersOptionsAndTheirValues) {
  EXPECT_THAT(completions("unictl", {"modules", "--"}),
              IsSupersetOf({"--executable", "--folder", "--json", "--help"}));
  write_file("/run/some-file", "");
  EXPECT_THAT(completions("unictl", {"modules", "--executable", "/run/some"}),
              ::testing::ElementsAre("/run/some-file"));
  EXPECT_THAT(completions("unictl", {"modules", "--folder", "/run/some"}),
              ::testing::ElementsAre(""));
}

TEST_F(UnictlCompletion, OffersChainsAndTypes) {
  Sandbox::keep_etc();
  EXPECT_THAT(completions("unictl", {"render", ""}), ::testing::ElementsAre(""));
  tool({"mkdir", "-p", "/etc/unicni/chains"});
  EXPECT_THAT(completions("unictl", {"render", ""}), ::testing::ElementsAre(""));
  write_file("/etc/unicni/chains/web.yaml", "");
  write_file("/etc/unicni/chains/db.yaml", "");
  write_file("/etc/unicni/chains/no.yml", "");
  EXPECT_THAT(completions("unictl", {"render", ""}), ::testing::UnorderedElementsAre("db", "web"));
  for (const char* verb : {"explain", "diff"}) {
    EXPECT_THAT(completions("unictl", {verb, "we"}), ::testing::ElementsAre("web")) << verb;
  }
  EXPECT_THAT(completions("unictl", {"diff", "web", "d"}), ::testing::ElementsAre("db"));
  EXPECT_THAT(completions("unictl", {"compile", "p"}), ::testing::ElementsAre("policy"));
  EXPECT_THAT(completions("unictl", {"compile", "chain:w"}), ::testing::ElementsAre("chain:web"));
  EXPECT_THAT(completions("unictl", {"compile", ""}),
              ::testing::UnorderedElementsAre("policy", "chain:db", "chain:web"));
  EXPECT_THAT(completions("unictl", {"conformance", "host-l"}),
              ::testing::ElementsAre("host-local"));
}

TEST(MisspeltOption, IsToldWithTheNearestOne) {
  EXPECT_THAT(command("unictl", {"modules", "--jsn"}).err,
              ::testing::HasSubstr("did you mean \"--json\"?"));
}

TEST(EmptyOperand, IsAWrongCall) {
  const Output output = command("cnitool", {"add", "bluenet", ""});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, ::testing::HasSubstr("NETNS: it is empty"));
  EXPECT_EQ(command("unictl", {"explain", ""}).status, 2);
}

class CnitoolCompletion : public ::testing::Test {
 protected:
  CnitoolCompletion() {
    write_file("/run/10-blue.conf", R"({"cniVersion":"1.0.0","name":"bluenet","type":"bridge"})");
    write_file("/run/20-broken.conf", "{");
  }
  static std::vector<std::string> cnitool(const std::vector<std::string>& words) {
    return completions("cnitool", words, {"NETCONFPATH=/run"});
  }
  Sandbox sandbox_;
};

TEST_F(CnitoolCompletion, OffersNetworksThenNamespaces) {
  Container container("green");
  EXPECT_THAT(cnitool({"add", "blue"}), ::testing::ElementsAre("bluenet"));
  EXPECT_THAT(cnitool({"add", ""}), ::testing::ElementsAre("bluenet"))
      << "a file without a / is no network";
  EXPECT_THAT(cnitool({"add", "/run/20"}), ::testing::ElementsAre("/run/20-broken.conf"));
  EXPECT_THAT(cnitool({"add", "bluenet", ""}), ::testing::ElementsAre("/run/netns/green"));
  EXPECT_THAT(cnitool({"add", "bluenet", "/run/netns/g"}),
              ::testing::ElementsAre("/run/netns/green"));
}

TEST_F(CnitoolCompletion, PassesOverOptionsAndTheirValues) {
  Container container("green");
  EXPECT_THAT(cnitool({"add", "-i", "eth1", "--timing", "blue"}),
              ::testing::ElementsAre("bluenet"));
  EXPECT_THAT(cnitool({"add", "-i", "eth1", "bluenet", "--container-id", "c1", ""}),
              ::testing::ElementsAre("/run/netns/green"));
  EXPECT_THAT(cnitool({"add", "--container-id", ""}), ::testing::ElementsAre(""))
      << "nothing is known of it";
  EXPECT_THAT(cnitool({"validate", "/run/10", "/run/20"}),
              ::testing::ElementsAre("/run/20-broken.conf"));
}

}  // namespace
}  // namespace unicni::test::pages_test
