// That the rules find what they are for, and let the rest pass.
#include "rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unicni::structure::rules_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

Files one(const std::string& path, const std::string& text) { return {make_file(path, text)}; }

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "int a;\n";
  return text;
}

TEST(Strip, BlanksCommentsAndLiteralsAndKeepsLines) {
  EXPECT_EQ(strip("a; // b\nc"), "a;     \nc");
  EXPECT_EQ(strip("a /* b\nc */ d"), "a     \n     d");
  EXPECT_EQ(strip(R"(f("x\"y", 'z'))"), R"(f("    ", ' '))");
  EXPECT_EQ(strip("R\"q(a\")q\" b"), "R\"      \" b");
  EXPECT_EQ(strip("1'000'000 + x // y"), "1'000'000 + x     ");
  EXPECT_EQ(strip("\"//\" + a"), "\"  \" + a");
}

TEST(Includes, CountOnlyWhenCompiled) {
  const SourceFile file = make_file(
      "core/src/net/a.cc", "#include <x.h>\n// #include \"no.h\"\n  # include \"net/y.h\"\n");
  const std::vector<Include> found = includes_of(file);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].target, "x.h");
  EXPECT_FALSE(found[0].quoted);
  EXPECT_EQ(found[1].target, "net/y.h");
  EXPECT_EQ(found[1].line, 3U);
}

const LayerTable& table() {
  static const LayerTable kTable(
      "# a table\nbase:   | ip.h sys/\nnet: base\noptions: base | options.h\n"
      "interface: net options | module.h\nchain: interface\n");
  return kTable;
}

TEST(LayerTable, WhoStandsOnAUnitStandsOnWhatIsBelowIt) {
  EXPECT_TRUE(table().may_include("chain", "base"));
  EXPECT_TRUE(table().may_include("net", "net"));
  EXPECT_FALSE(table().may_include("net", "options")) << "beside each other";
  EXPECT_FALSE(table().may_include("base", "net"));
}

TEST(LayerTable, HeadersAreNamedOrInAFolder) {
  EXPECT_EQ(table().unit_of_header("unicni/ip.h"), "base");
  EXPECT_EQ(table().unit_of_header("unicni/sys/fd.h"), "base");
  EXPECT_EQ(table().unit_of_header("unicni/net/link.h"), "net");
  EXPECT_EQ(table().unit_of_header("unicni/call.h"), "");
}

TEST(LayerTable, HasNoCirclesAndNoRowTwice) {
  EXPECT_THROW(LayerTable("a: b\nb:\n"), std::runtime_error);
  EXPECT_THROW(LayerTable("a: a\n"), std::runtime_error);
  EXPECT_THROW(LayerTable("a:\na:\n"), std::runtime_error);
  EXPECT_THROW(LayerTable("a\n"), std::runtime_error);
}

TEST(QuotedHeaders, AnAngleHidesNoHeaderOfTheTree) {
  const auto count = [](const std::string& target) {
    return quoted_headers({make_file("core/include/unicni/undo.h", "#include " + target + "\n"),
                           make_file("core/src/chain/chain.h", ""),
                           make_file("modules/ptp/config.h", "")})
        .size();
  };
  EXPECT_EQ(count("<unicni/netfilter/nft.h>"), 1U);
  EXPECT_EQ(count("<chain/chain.h>"), 1U);
  EXPECT_EQ(count("<net/../chain/chain.h>"), 1U);
  EXPECT_EQ(count("<ptp/config.h>"), 1U);
  EXPECT_EQ(count("<net/if.h>"), 0U) << "the system's";
  EXPECT_EQ(count("\"chain/chain.h\""), 0U) << "the other laws'";
}

TEST(QuotedTools, OnlyByIquote) {
  const auto count = [](const char* text) {
    return quoted_tools(one("tools/probe/CMakeLists.txt", text)).size();
  };
  EXPECT_EQ(count("target_include_directories(a PUBLIC ${PROJECT_SOURCE_DIR}/tools)\n"), 1U);
  EXPECT_EQ(count("target_include_directories(a PRIVATE ${X}/tools ${X}/tests)\n"), 1U);
  EXPECT_EQ(count("target_include_directories(a PUBLIC ${PROJECT_SOURCE_DIR}/tools/docs)\n"), 0U);
  EXPECT_EQ(count("target_compile_options(a PUBLIC \"SHELL:-iquote ${X}/tools\")\n"), 0U);
}

TEST(CoreLayers, AUnitIncludesItselfAndWhatIsBelow) {
  EXPECT_THAT(core_layers(one("core/src/interface/a.cc",
                              "#include \"interface/j.h\"\n#include \"net/x.h\"\n"
                              "#include \"unicni/module.h\"\n#include \"unicni/net/link.h\"\n"
                              "#include <net/if.h>\n#include \"own.h\"\n"),
                          table()),
              IsEmpty());
  EXPECT_THAT(core_layers(one("core/src/chain/nested/a.cc", "#include \"base/x.h\"\n"), table()),
              IsEmpty());
}

TEST(CoreLayers, UpwardsAndSidewaysAreRefusedWithFileAndLine) {
  EXPECT_THAT(core_layers(one("core/src/net/a.cc", "\n#include \"options/x.h\"\n"), table()),
              ElementsAre("core/src/net/a.cc:2: net may include only what it stands on, not "
                          "options/x.h of options"));
  const auto count = [](const char* path, const char* text) {
    return core_layers(one(path, text), table()).size();
  };
  EXPECT_EQ(count("core/src/net/a.h", "#include \"unicni/module.h\"\n"), 1U);
  EXPECT_EQ(count("core/src/base/a_test.cc", "#include \"net/x.h\"\n"), 1U) << "tests too";
  EXPECT_EQ(count("core/src/net/a.cc", "#include \"bridge/config.h\"\n"), 1U);
  EXPECT_EQ(count("core/src/net/a.cc", "#include \"unicni/unknown.h\"\n"), 1U);
  EXPECT_EQ(count("core/src/novel/a.cc", ""), 1U);
}

TEST(CoreLayers, PublicHeadersAreUnderTheLaw) {
  const auto count = [](const char* path, const char* text) {
    return core_layers(one(path, text), table()).size();
  };
  EXPECT_EQ(
      count("core/include/unicni/module.h", "#include \"unicni/options.h\"\n#include <vector>\n"),
      0U);
  EXPECT_EQ(count("core/include/unicni/ip.h", "#include \"net/b.h\"\n"), 1U);
  EXPECT_EQ(count("core/include/unicni/options.h", "#include \"unicni/module.h\"\n"), 1U);
  EXPECT_EQ(count("core/include/unicni/sys/fd.h", "#include \"unicni/net/link.h\"\n"), 1U);
  EXPECT_EQ(count("core/include/unicni/novel.h", ""), 1U) << "of no unit";
}

TEST(TestNamespaces, AreCalledAsTheirFile) {
  const auto count = [](const char* path, const char* text) {
    return test_namespaces(one(path, text)).size();
  };
  EXPECT_EQ(count("core/src/net/a_test.cc", "namespace unicni::net {\nnamespace {\n"), 1U);
  EXPECT_EQ(count("core/src/net/a_test.cc", "namespace {\n"), 1U);
  EXPECT_EQ(count("core/src/net/a_test.cc", "namespace unicni::net::a_test {\nnamespace {\n"), 0U);
  EXPECT_EQ(count("core/src/net/a_test.cc", "namespace unicni::net {\n"), 0U) << "all are shared";
  EXPECT_EQ(count("core/src/net/a.cc", "namespace unicni::net {\nnamespace {\n"), 0U);
}

TEST(ModuleBorders, OwnFolderAndPublicHeadersOnly) {
  EXPECT_THAT(module_borders(one("modules/ptp/ptp.cc",
                                 "#include \"config.h\"\n#include \"unicni/module.h\"\n"),
                             table()),
              IsEmpty());
  EXPECT_THAT(
      module_borders(one("modules/ptp/ptp.cc", "#include \"net/link.h\"\n"), table()).size(), 1);
  EXPECT_THAT(
      module_borders(one("modules/ptp/ptp.cc", "#include \"bridge/config.h\"\n"), table()).size(),
      1);
  EXPECT_THAT(
      module_borders(one("modules/ptp/ptp.cc", "#include \"../bridge/config.h\"\n"), table())
          .size(),
      1);
  EXPECT_THAT(
      module_borders(one("modules/ptp/ptp_test.cc", "#include \"options/parse.h\"\n"), table()),
      IsEmpty());
  EXPECT_THAT(
      module_borders(one("modules/ptp/ptp_test.cc", "#include \"bridge/config.h\"\n"), table())
          .size(),
      1);
}

TEST(ModuleBorders, NobodyIncludesAModuleOrTheExecutable) {
  EXPECT_THAT(
      module_borders(one("exec/main.cc", "#include \"modules/bridge/config.h\"\n"), table()).size(),
      1);
  EXPECT_THAT(
      module_borders(one("core/src/chain/a.cc", "#include \"exec/main.h\"\n"), table()).size(), 1);
  EXPECT_THAT(module_borders(one("exec/main.cc", "#include \"chain/plan.h\"\n"), table()),
              IsEmpty());
}

TEST(ApplicationBorders, AnApplicationSeesCoreWhatAllShareAndItself) {
  const std::string allowed =
      "#include \"app/report.h\"\n#include \"net/x.h\"\n#include \"unicni/module.h\"\n";
  EXPECT_THAT(application_borders(
                  one("tools/unictl/modules.cc", allowed + "#include \"verbs.h\"\n"), table()),
              IsEmpty());
  EXPECT_THAT(application_borders(one("tools/app/report.cc", allowed), table()), IsEmpty());
  for (const char* path : {"tools/unictl/modules.cc", "tools/app/report.cc"}) {
    EXPECT_THAT(application_borders(one(path, "#include \"cnitool/main.h\"\n"), table()).size(), 1);
  }
}

TEST(ApplicationBorders, NobodyIncludesAnApplication) {
  for (const char* path : {"core/src/net/a.cc", "exec/main.cc", "modules/bridge/bridge.cc"}) {
    EXPECT_THAT(application_borders(one(path, "#include \"app/report.h\"\n"), table()).size(), 1);
  }
}

TEST(LibraryBorders, EachLibraryHasItsPlace) {
  const std::string json = "#include <nlohmann/json.hpp>\n";
  EXPECT_THAT(library_borders(one("core/src/protocol/a.cc", json)), IsEmpty());
  EXPECT_THAT(library_borders(one("core/src/options/a.cc", json)), IsEmpty());
  EXPECT_THAT(library_borders(one("tests/golden/a.cc", json)), IsEmpty());
  EXPECT_THAT(library_borders(one("core/src/chain/a.cc", json)).size(), 1);
  EXPECT_THAT(library_borders(one("modules/ptp/a.cc", "#include <nlohmann/json_fwd.hpp>\n")).size(),
              1);

  const std::string dll = "#include <boost/dll/shared_library.hpp>\n";
  EXPECT_THAT(library_borders(one("core/src/module/loader.cc", dll)), IsEmpty());
  EXPECT_THAT(library_borders(one("core/src/module/registry.cc", dll)).size(), 1);

  const std::string yaml = "#include <yaml-cpp/parser.h>\n";
  EXPECT_THAT(library_borders(one("core/src/document/yaml.cc", yaml)), IsEmpty());
  EXPECT_THAT(library_borders(one("core/src/document/json.cc", yaml)).size(), 1);
  EXPECT_THAT(library_borders(one("exec/main.cc", yaml)).size(), 1);

  const std::string cli = "#include <CLI/CLI.hpp>\n";
  EXPECT_THAT(library_borders(one("tools/app/options.cc", cli)), IsEmpty());
  EXPECT_THAT(library_borders(one("tools/unictl/main.cc", cli)).size(), 1);

  const std::string nl = "#include <netlink/msg.h>\n";
  EXPECT_THAT(library_borders(one("core/src/net/a.cc", nl)), IsEmpty());
  EXPECT_THAT(library_borders(one("core/src/netfilter/nft/a.cc", nl)), IsEmpty());
  EXPECT_THAT(library_borders(one("core/src/journal/a.cc", nl)).size(), 1);
  EXPECT_THAT(library_borders(one("core/include/unicni/net/a.h", nl)).size(), 1);

  const std::string mnl = "#include <libmnl/libmnl.h>\n";
  EXPECT_THAT(library_borders(one("core/src/netfilter/nft/a.cc", mnl)), IsEmpty());
  EXPECT_THAT(library_borders(one("exec/libmnl.cc", mnl)), IsEmpty());
  EXPECT_THAT(library_borders(one("exec/main.cc", mnl)).size(), 1);
  EXPECT_THAT(library_borders(one("core/src/net/a.cc", mnl)).size(), 1);
  EXPECT_THAT(library_borders(one("core/src/journal/a.cc", mnl)).size(), 1);
}

TEST(ForbiddenCalls, ShellsAndRawSocketsInTheProduct) {
  EXPECT_THAT(forbidden_calls(one("core/src/base/a.cc", "int x = system(\"ls\");\n")),
              ElementsAre(StartsWith("core/src/base/a.cc:1: no shell")));
  EXPECT_THAT(forbidden_calls(one("modules/ptp/a.cc", "auto* f = ::popen (c, \"r\");\n")).size(),
              1);
  EXPECT_THAT(forbidden_calls(one("exec/main.cc", "std::system(c);\n")).size(), 1);
  EXPECT_THAT(forbidden_calls(one("exec/main.cc",
                                  "throw std::system_error(e); // system(x)\nf(\"system(x)\");\n")),
              IsEmpty());
  EXPECT_THAT(forbidden_calls(one("tests/integration/a.cc", "system(\"ip link\");\n")), IsEmpty());

  EXPECT_THAT(
      forbidden_calls(one("core/src/chain/a.cc", "int fd = socket(AF_UNIX, SOCK_STREAM, 0);\n"))
          .size(),
      1);
  EXPECT_THAT(
      forbidden_calls(one("core/src/chain/a.cc", "int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);\n"))
          .size(),
      1);
  EXPECT_THAT(
      forbidden_calls(one("core/src/net/a.cc", "int fd = socket(AF_NETLINK, SOCK_RAW, 0);\n")),
      IsEmpty());
}

TEST(EndedProcesses, OnlyByExecAndInForkedChildren) {
  for (const char* line : {"::_exit(1);\n", "_exit(1);\n", "if (a) std::exit(1);\n", "::abort();\n",
                           "std::quick_exit(0);\n", "std::terminate();\n"}) {
    EXPECT_THAT(ended_processes(one("core/src/net/a.cc", line)).size(), 1) << line;
    EXPECT_THAT(ended_processes(one("modules/ptp/a.cc", line)).size(), 1) << line;
    EXPECT_THAT(ended_processes(one("exec/main.cc", line)), IsEmpty());
    EXPECT_THAT(ended_processes(one("core/src/base/forked_child.cc", line)), IsEmpty());
    EXPECT_THAT(ended_processes(one("core/src/net/a_test.cc", line)), IsEmpty());
  }
  EXPECT_THAT(ended_processes(one("core/src/net/a.cc",
                                  "// _exit(2)\nf(\"_exit(2)\"); on_exit(1); queue.abort();\n")),
              IsEmpty());
}

TEST(UncheckedAttributes, OnlyWhereRoomIsKnown) {
  for (const char* line :
       {"mnl_attr_put_strz(m, 1, t);\n", "mnl_attr_put(m, 1, 2, t);\n",
        "auto* h = mnl_nlmsg_put_header(b);\n", "mnl_attr_nest_start(m, 1);\n",
        "nla_put(m, 1, 2, t);\n", "nla_put_u32(m, 1, 2);\n", "nla_reserve(m, 1, 2);\n",
        "auto* n = nla_nest_start(m, 1);\n", "nlmsg_append(m, t, 2, 4);\n",
        "nlmsg_alloc_size(16);\n", "nftnl_rule_nlmsg_build_payload(m, r);\n"}) {
    EXPECT_THAT(unchecked_attributes(one("core/src/net/a.cc", line)).size(), 1) << line;
    EXPECT_THAT(unchecked_attributes(one("core/src/net/attribute.cc", line)), IsEmpty());
  }
  EXPECT_THAT(unchecked_attributes(one("core/src/net/a.cc",
                                       "put_text(m, 1, t); nla_type(a); nlmsg_hdr(m);\n"
                                       "put_object(m, nftnl_rule_nlmsg_build_payload, r);\n")),
              IsEmpty());
}

Findings decisions_of(const std::string& text) { return decisions(one("core/DECISIONS.md", text)); }

TEST(Decisions, AreShortUnderTitlesThatStandApart) {
  const std::string index = "## By topic\n| topic | decisions |\n|---|---|\n| a | One; Two |\n";
  EXPECT_THAT(decisions_of("# Decisions\n\n" + index + "\n## One way\na\n\n## Two ways\nb\n"),
              IsEmpty());
  EXPECT_THAT(decisions_of("# Decisions\n\n" + index + "\n## One way\na\n## Two ways\nb\n"),
              ElementsAre(StartsWith("core/DECISIONS.md:10: a blank line")));
  EXPECT_THAT(decisions_of(index + "\n## One way\n" + lines(9) + "\n## Two ways\nb\n"),
              ElementsAre(StartsWith("core/DECISIONS.md:15: at most 8")));
  EXPECT_THAT(
      decisions_of(index + "\n## One way\n" + std::string(151, 'a') + "\n\n## Two ways\nb\n"),
      ElementsAre(StartsWith("core/DECISIONS.md:7: at most 150")));
}

TEST(Decisions, AreEachInTheIndexThatStandsBeforeThem) {
  const std::string two = "\n## One way\na\n\n## Two ways\nb\n";
  const auto with_index = [&](const std::string& entries) {
    return decisions_of("## By topic\n| topic | decisions |\n|---|---|\n| a | " + entries + " |\n" +
                        two);
  };
  EXPECT_THAT(with_index("One; Two; One"), IsEmpty());
  EXPECT_THAT(with_index("One"), ElementsAre(StartsWith("core/DECISIONS.md:9: the index")));
  EXPECT_THAT(with_index("One; Two; Three"),
              ElementsAre(StartsWith("core/DECISIONS.md:4: \"Three\" begins 0 titles")));
  EXPECT_THAT(decisions_of("## Twos\na\n\n## By topic\n| b | Two |\n\n## Two ways\nb\n"),
              ElementsAre(StartsWith("core/DECISIONS.md:4: the index comes before"),
                          StartsWith("core/DECISIONS.md:5: \"Two\" begins 2 titles")));
}

TEST(FileSizes, CapsDependOnTheKindOfFile) {
  EXPECT_THAT(file_sizes(one("core/src/net/a.cc", lines(600))), IsEmpty());
  EXPECT_THAT(file_sizes(one("core/src/net/a.cc", lines(601))),
              ElementsAre(StartsWith("core/src/net/a.cc:601: 601 lines")));
  EXPECT_THAT(file_sizes(one("core/src/net/a_test.cc", lines(800))), IsEmpty());
  EXPECT_THAT(file_sizes(one("tests/loader/a.cc", lines(801))).size(), 1);
  EXPECT_THAT(file_sizes(one("CONTRIBUTING.md", lines(121))).size(), 1);
}

TEST(CommentShare, TwelveOfAHundredLinesOfCore) {
  const auto found = [](int comments, int code) {
    std::string text;
    for (int i = 0; i < comments; ++i) text += "  // why\n\n";
    for (int i = 0; i < code; ++i) text += "int a;  // beside code\n";
    return comment_share({make_file("core/src/net/a.cc", text),
                          make_file("core/src/net/a_test.cc", lines(100)),
                          make_file("modules/ptp/ptp.cc", lines(100))});
  };
  EXPECT_THAT(found(12, 88), IsEmpty());
  EXPECT_THAT(found(11, 89), ElementsAre(StartsWith("core: 11 of 100 lines are comments")));
}

TEST(FileNames, StemsThatSayNothing) {
  EXPECT_THAT(file_names(one("core/src/net/util.cc", "")).size(), 1);
  EXPECT_THAT(file_names(one("core/src/net/string_utils.h", "")).size(), 1);
  EXPECT_THAT(file_names(one("core/src/net/helper_test.cc", "")).size(), 1);
  EXPECT_THAT(file_names(one("tests/common.sh", "")).size(), 1);
  EXPECT_THAT(file_names(one("core/src/net/utility_pole.cc", "")), IsEmpty());
}

TEST(ModuleFolders, WhatIsMissingIsNamed) {
  const Files whole = {make_file("modules/CMakeLists.txt", ""),
                       make_file("modules/host-local/README.md", ""),
                       make_file("modules/host-local/example.conflist", ""),
                       make_file("modules/host-local/CMakeLists.txt", ""),
                       make_file("modules/host-local/host_local_test.cc", "")};
  EXPECT_THAT(module_folders(whole), IsEmpty());
  EXPECT_THAT(module_folders({whole.begin(), whole.end() - 1}),
              ElementsAre(StartsWith("modules/host-local/host_local_test.cc:1: ")));
}

TEST(Leftovers, UnfinishedWordsAndLocalPaths) {
  EXPECT_THAT(leftovers(one("README.md",
                            "a\n// TO"
                            "DO: b\n")),
              ElementsAre(StartsWith("README.md:2: unfinished")));
  EXPECT_THAT(leftovers(one("README.md",
                            "see /wo"
                            "rk/main\n"))
                  .size(),
              1);
  EXPECT_THAT(leftovers(one("README.md",
                            "see `/wo"
                            "rk`\n"))
                  .size(),
              1);
  EXPECT_THAT(leftovers(one("README.md",
                            "frame/wo"
                            "rk and /wo"
                            "rkspace and net/wo"
                            "rk-list\n")),
              IsEmpty());
}

}  // namespace
}  // namespace unicni::structure::rules_test
