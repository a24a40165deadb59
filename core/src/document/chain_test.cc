#include "document/chain.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/temp_folder_for_test.h"
#include "document/tree_for_test.h"
#include "document/typed.h"
#include "options/demo_table_for_test.h"
#include "unicni/sys/file.h"

namespace unicni::document::chain_test {
namespace {

/// A chained module "demo" and an IPAM module "strict", whose options are those tables.
std::vector<TypeOptions> types() {
  return {{"demo", false, &options::demo::kDemoTable},
          {"bare", false, nullptr},
          {"strict", true, &options::demo::kStrictTable}};
}

protocol::NetworkList chain(const std::string& text, const std::string& name = "net") {
  return read_chain(read(text, "f"), name, types());
}

/// All findings of a linter, a line each.
std::string lint(const std::string& text, const std::string& name = "net") {
  std::string lines;
  for (const Finding& finding : type_chain(read(text, "f"), name, types()).findings) {
    lines += finding.line("f") + '\n';
  }
  return lines;
}

std::string refusal(const std::string& text) {
  return refusal_of([&] { chain(text); });
}

constexpr const char* kChain = R"(# what a node's pods get
x-shared: &shared
  words: [no, 1.10]
name: net
cniVersion: 1.0.0
disableCheck: no
plugins:
  - type: demo
    <<: *shared
    flag: yes
    ipam: {type: strict, key: 0x1, needed: on}
    capabilities: {mac: yes, portMappings: false}
    runtimeConfig: {ips: [10.0.0.1/8]}
    args: {cni: {mac: "02:00:00:00:00:01", other: no}, more: 1_000}
    dns: {search: [1.0]}
  - type: foreign
    mtu: 0x10
    list: [no, yes, true]
)";

TEST(Chain, IsTheListThatItDescribes) {
  const protocol::NetworkList list = chain(kChain);
  EXPECT_EQ(list.name, "net");
  EXPECT_EQ(list.cni_version, "1.0.0");
  EXPECT_FALSE(list.disable_check);
  EXPECT_EQ(list.source, "f");
  ASSERT_EQ(list.members.size(), 2U);
  EXPECT_EQ(list.members[0].text,
            R"({"type":"demo","words":["no","1.10"],"flag":true,)"
            R"("ipam":{"type":"strict","key":"0x1","needed":"on"},)"
            R"("capabilities":{"mac":true,"portMappings":false},)"
            R"("args":{"cni":{"mac":"02:00:00:00:00:01","other":"no"},"more":"1_000"},)"
            R"("dns":{"search":["1.0"]}})");
  EXPECT_EQ(list.members[0].capabilities, std::vector<std::string>{"mac"});
  // Nobody here knows the options of another maker's plugin.
  EXPECT_EQ(list.members[1].text, R"({"type":"foreign","mtu":16,"list":["no","yes",true]})");
}

TEST(Chain, InJsonAndInYamlIsTheSameList) {
  const std::string json =
      R"({"name":"net","cniVersion":"1.0.0","plugins":[{"type":"demo","flag":true,"mtu":1.0,)"
      R"("words":["a"],"ipam":{"type":"strict","key":"x","needed":"y"}}]})";
  const std::string yaml =
      "name: net\ncniVersion: 1.0.0\nplugins:\n- type: demo\n  flag: on\n  mtu: 1.0\n  words: [a]\n"
      "  ipam: {type: strict, key: x, needed: y}\n";
  EXPECT_EQ(chain(json).text, json);
  EXPECT_EQ(chain("// a comment\n" + json).text, json);
  EXPECT_EQ(chain(yaml).text, json);
  EXPECT_EQ(chain(json).text, protocol::parse_list(json, "f").text);
}

TEST(Chain, UnknownKeysAreFindingsOfALinterAndWarningsOfAVerb) {
  const std::string text =
      "name: net\nplugin: 1\nplugins:\n- type: demo\n  falg: 1\n  ipam: {type: strict, needed: x, "
      "kye: 1}\n  cni.dev/x: 1\n";
  const std::string findings =
      "f:2:1: plugin: unknown key; did you mean \"plugins\"?\n"
      "f:5:3: plugins[0].falg: unknown key; did you mean \"flag\"?\n"
      "f:6:35: plugins[0].ipam.kye: unknown key; did you mean \"key\"?\n";
  EXPECT_EQ(lint(text), findings);
  std::string warnings;
  for (const std::string& warning : chain(text).warnings) warnings += warning + '\n';
  EXPECT_EQ(warnings,
            "f: \"plugins\"[0].\"cni.dev/x\" is not passed on, the runtime writes that "
            "key\n" +
                findings);
}

TEST(Chain, ManyUnknownKeysAreCounted) {
  std::string text = "name: net\nplugins:\n- type: demo\n";
  for (int i = 0; i < 2000; ++i) text += "  k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(type_chain(read(text, "f"), "net", types()).findings.size(), kFindingLimit);
  const auto warnings = chain(text).warnings;
  ASSERT_EQ(warnings.size(), 10U);
  EXPECT_EQ(warnings[0], "f:4:3: plugins[0].k0: unknown key");
  EXPECT_EQ(warnings[9], "991 more keys or values are wrong in this configuration");
  // A wrong value behind them is found nevertheless.
  EXPECT_EQ(refusal(text + "  flag: 1\n"),
            "f:2004:9: plugins[0].flag: true or false is expected, not 1");
}

TEST(Chain, KeysForAnchorsAreLeftOut) {
  EXPECT_EQ(lint(kChain), "");
  EXPECT_EQ(chain("x-a: &a {flag: no}\nname: net\nplugins: [{type: demo, <<: *a }]\n").text,
            R"({"name":"net","plugins":[{"type":"demo","flag":false}]})");
}

TEST(Chain, WrongValuesAreErrorsWithTheirPlace) {
  EXPECT_EQ(refusal("name: net\nplugins:\n- type: demo\n  flag: 1\n"),
            "f:4:9: plugins[0].flag: true or false is expected, not 1");
  EXPECT_EQ(refusal("name: net\nplugins:\n- type: bare\n  capabilities: {mac: 1}\n"),
            "f:4:23: plugins[0].capabilities.mac: true or false is expected, not 1");
  EXPECT_EQ(refusal("name: net\nplugins:\n- type: bare\n  ipam: []\n"),
            "f:4:9: plugins[0].ipam: an object is expected, not a list");
  EXPECT_EQ(refusal("name: net\nplugins:\n- type: bare\n- bare\n"),
            "f:4:3: plugins[1]: a plugin object is expected, not bare");
  EXPECT_EQ(refusal("name: net\nplugins:\n- type: a/b\n").substr(0, 27),
            "f:3:9: plugins[0].type is \"");
  EXPECT_EQ(refusal("name: net\nplugins:\n- flag: no\n"),
            "f:3:3: plugins[0].type: missing, the name of a plugin is needed");
  EXPECT_EQ(refusal("name: net\nplugins: []\n"), "f:2:10: plugins: the list is empty");
  EXPECT_EQ(refusal("name: net\nplugins:\n"),
            "f:2:1: plugins: missing, a list of at least one plugin object is needed");
  EXPECT_EQ(refusal("name: net\nplugins: {type: demo}\n"),
            "f:2:10: plugins: a list is expected, not an object");
  EXPECT_EQ(refusal("name: net\ncniVersions: [1.0.0, x]\nplugins: [{type: bare}]\n"),
            "f:2:22: cniVersions[1]: a version as 1.0.0 is expected, not x");
  EXPECT_EQ(refusal("- a\n"), "f:1:1: the chain: an object is expected, not a list");
}

TEST(Chain, HasNumbersInDigitsWhichTheErrorNames) {
  const auto typed = type_chain(read("plugins: [{type: demo, mtu: 1k}]", "f"), "net", types());
  ASSERT_EQ(typed.findings.size(), 1U);
  EXPECT_EQ(typed.findings[0].kind, FindingKind::wrong_value);
  EXPECT_TRUE(typed.findings[0].text.ends_with(" is expected, not 1k; in digits: 1000"))
      << typed.findings[0].text;
}

TEST(Chain, HasTheNameOfItsFile) {
  EXPECT_EQ(chain("name: a.b\nplugins: [{type: bare}]", "a.b").name, "a.b");
  EXPECT_EQ(refusal("name: other\nplugins: [{type: bare}]"),
            "f:1:7: name: \"net\" is expected, not other");
  EXPECT_EQ(chain("plugins: [{type: bare}]").name, "net") << "which it needn't say";
  EXPECT_EQ(refusal("name:\nplugins: [{type: bare}]").substr(0, 34),
            "f:1:1: name: missing, the network'");
}

TEST(Chain, ALinterSaysAllThatIsWrong) {
  EXPECT_EQ(
      lint("plugins:\n- type: demo\n  flag: x\n  nix: 1\n- type: demo\n  ipam: {type: strict}\n"),
      "f:3:9: plugins[0].flag: true or false is expected, not x\n"
      "f:4:3: plugins[0].nix: unknown key\n"
      "f:6:9: plugins[1].ipam.needed: missing, a string is needed\n");
}

TEST(Chain, WhatOnlyTheListsReaderRefusesIsAFindingToo) {
  EXPECT_EQ(lint("name: net\nplugins:\n- type: bare\n  cniVersion: 1\n  ipam: {type: [a]}\n"),
            "f:5:16: plugins[0].ipam.type: a string is expected, not a list\n");
  EXPECT_EQ(lint("name: a/b\nplugins: [{type: bare}]\n", "a/b"),
            "f:1:1: invalid characters found in network name \"a/b\"\n");
}

TEST(Chain, NamesTheTypesWhoseOptionsItNeeds) {
  const NamedTypes named = types_in(read(
      "plugins: [{type: a}, {Type: b, ipam: {type: i}}, {type: a, ipam: {type: i}}, 5, {}]", "f"));
  EXPECT_EQ(named.plugins, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(named.ipams, std::vector<std::string>{"i"});
  EXPECT_TRUE(types_in(read("[1]", "f")).plugins.empty());
}

TEST(Chain, IsFoundByItsName) {
  const TempFolder folder;
  sys::create_file(folder / "web.yaml", "name: web\nplugins: [{type: bare}]\n", 0600);
  sys::create_file(folder / "db.yaml", "// json\n{\"name\": \"db\", \"plugins\": [}", 0600);
  sys::create_file(folder / ".yaml", "", 0600);
  sys::create_file(folder / "web.yml", "", 0600);
  EXPECT_EQ(list_chains(folder.path()), (std::vector<std::string>{"db", "web"}));
  const Document found = read_chain_file(folder.path(), "web");
  EXPECT_EQ(found.file, folder / "web.yaml");
  EXPECT_EQ(read_chain(found, "web", {}).members.size(), 1U);
  EXPECT_EQ(refusal_of([&] { read_chain_file(folder.path(), "db"); }, Code::decode)
                .substr(folder.path().size()),
            "/db.yaml:2:28: syntax error while parsing value - unexpected '}'; expected '[', '{', "
            "or a literal");
}

TEST(Chain, ThatIsMissingIsRefusedWithTheNearestNames) {
  const TempFolder folder;
  const auto missing = [&](const std::string& name) {
    const Error error = error_of([&] { read_chain_file(folder.path(), name); });
    EXPECT_TRUE(error.is(Code::invalid_config));
    return error.msg() + " | " + error.details();
  };
  const std::string where = "no chain \"frontned\" in " + folder.path() + " | ";
  EXPECT_EQ(missing("frontned"), where + "a chain is a file NAME.yaml, and there is none");
  for (const char* name : {"frontend", "db"}) {
    sys::create_file(folder / (std::string(name) + ".yaml"), "", 0600);
  }
  EXPECT_EQ(missing("frontned"), where + "did you mean \"frontend\"? there are: db, frontend");
  for (const char* name : {"../frontend", "a/b", "..", ".", "", "-a", "frontend\n"}) {
    EXPECT_EQ(missing(name).find("no chain"), std::string::npos) << name;
  }
}

TEST(Chain, ThatIsALinkToNowhereIsThere) {
  const TempFolder folder;
  std::filesystem::create_symlink("/nowhere/web.yaml", folder / "web.yaml");
  EXPECT_EQ(refusal_of([&] { read_chain_file(folder.path(), "web"); }, Code::invalid_config),
            folder / "web.yaml" + std::string(" leads nowhere"));
}

TEST(Chain, HasANameThatAFileCanHave) {
  const TempFolder folder;
  EXPECT_EQ(refusal_of([&] { read_chain_file(folder.path(), std::string(251, 'a')); },
                       Code::invalid_config),
            "no chain has a name of 251 bytes");
  EXPECT_THAT(refusal_of([&] { read_chain_file(folder.path(), std::string(250, 'a')); },
                         Code::invalid_config),
              ::testing::StartsWith("no chain \"aaa"));
}

TEST(Chain, ThatIsNoFileCanNotBeRead) {
  const TempFolder folder;
  sys::ensure_folder(folder / "net.yaml", 0700);
  EXPECT_EQ(refusal_of([&] { read_chain_file(folder.path(), "net"); }, Code::decode),
            "read " + (folder / "net.yaml") + ": Is a directory (EISDIR)");
}

TEST(Chain, OverOneMebibyteIsRefused) {
  const TempFolder folder;
  const auto refused = [&](std::size_t size) {
    sys::write_file_atomically(folder / "big.yaml", std::string(size, '#'), 0600);
    return error_of([&] { read_chain_file(folder.path(), "big"); }).msg();
  };
  EXPECT_EQ(refused(kFileLimit), folder / "big.yaml:1:1: the file holds no value");
  EXPECT_EQ(refused(kFileLimit + 1), folder / "big.yaml:1:1: a file of 1048577 bytes is too large");
  EXPECT_NE(refused(kFileLimit + 2), "");
}

}  // namespace
}  // namespace unicni::document::chain_test
