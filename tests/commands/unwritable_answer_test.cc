// Programs whose answer nobody gets: the status says that, and stderr says why, once.
#include <gmock/gmock.h>

#include <regex>

#include "cnitool.h"

namespace unicni::test::unwritable_answer_test {
namespace {

using ::testing::HasSubstr;

class UnwritableAnswer : public CnitoolTest {
 protected:
  static constexpr const char* kChains = "/run/etc";

  UnwritableAnswer() {
    Json plain = list();
    put("10-mynet.conflist", plain);
    plain["name"] = "other";
    put("20-other.conflist", plain);
    write_file("/run/etc/chains/web.yaml", "plugins:\n- type: dummy\n");
    write_file("/run/wrong.yaml", "plugins:\n- type: no-such\n");
  }

  /// `path` below the stage, its stdout on a full disk.
  static Output to_full_disk(const std::string& path, const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {"sh", "-c", "exec \"$0\" \"$@\" > /dev/full",
                                     stage() + '/' + path};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run({.argv = argv,
                .env = {"CNI_PATH=" + bin_dir(), std::string("NETCONFPATH=") + kNetworks,
                        "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  }

  static void expect_told_once(const Output& output, int status) {
    EXPECT_EQ(output.status, status) << output.str();
    const std::regex text("write to stdout: No space left on device");
    EXPECT_EQ(std::distance(std::sregex_iterator(output.err.begin(), output.err.end(), text), {}),
              1)
        << output.str();
  }
};

TEST_F(UnwritableAnswer, IsAFailureOfEveryVerbOfUnictl) {
  const std::vector<std::string> verbs[] = {
      {"--help"},
      {"--version"},
      {"help", "lint"},
      {"completion"},
      {"compile", "--settings", kChains, "chain:web"},
      {"compile", "--settings", kChains, "--print", "chain:web"},
      {"diff", "/run/net.d/10-mynet.conflist", "/run/net.d/20-other.conflist"},
      {"explain", "--settings", kChains, "web"},
      {"install", "--bin-dir", "/run/cni-bin", "--dry-run"},
      {"lint", "/run/wrong.yaml"},
      {"modules", "--json"},
      {"new-module", "geneve", "--out-of-tree", "/run/geneve"},
      {"render", "--settings", kChains, "web"}};
  for (const std::vector<std::string>& arguments : verbs) {
    SCOPED_TRACE(arguments.front());
    expect_told_once(to_full_disk("bin/unictl", arguments), 1);
  }
}

/// 1 would be a verdict.
TEST_F(UnwritableAnswer, IsNoVerdictOfConformance) {
  for (const char* form : {"--all", "--json"}) {
    expect_told_once(to_full_disk("bin/unictl", {"conformance", "static", "--id", "VERN-01", form}),
                     2);
  }
  const Output junit =
      command("unictl", {"conformance", "static", "--id", "VERN-01", "--junit", "/dev/full"});
  EXPECT_EQ(junit.status, 2);
  EXPECT_EQ(junit.err, "unictl: write /dev/full: No space left on device (ENOSPC)\n");
  EXPECT_THAT(junit.out, HasSubstr("conforming")) << "what can be told is";
  const Output absent =
      command("unictl", {"conformance", "static", "--id", "VERN-01", "--junit", "/run/no/r.xml"});
  EXPECT_EQ(absent.status, 2);
  EXPECT_EQ(absent.err, "unictl: write /run/no/r.xml: No such file or directory (ENOENT)\n");
}

TEST_F(UnwritableAnswer, LeavesTheJunitReportThatCanBeWritten) {
  expect_told_once(to_full_disk("bin/unictl", {"conformance", "static", "--id", "VERN-01",
                                               "--junit", "/run/r.xml"}),
                   2);
  EXPECT_THAT(read_file("/run/r.xml"), HasSubstr(R"(value="conforming")"));
}

TEST_F(UnwritableAnswer, IsAFailureOfEveryVerbOfCnitoolThatHasOne) {
  const Container blue("blue");
  const std::vector<std::string> verbs[] = {{"--help"},
                                            {"add", "--dry-run", "mynet", blue.path()},
                                            {"del", "--dry-run", "mynet", blue.path()},
                                            {"gc", "--dry-run", "mynet", blue.path()},
                                            {"networks"},
                                            {"validate", "/run/net.d/10-mynet.conflist"},
                                            {"version", "mynet"}};
  for (const std::vector<std::string>& arguments : verbs) {
    SCOPED_TRACE(arguments.front());
    expect_told_once(to_full_disk("bin/cnitool", arguments), 1);
  }
}

TEST_F(UnwritableAnswer, IsAFailureOfTheExecutable) {
  for (const char* argument : {"--help", "--version"}) {
    expect_told_once(to_full_disk("libexec/cni/unicni", {argument}), 1);
  }
}

}  // namespace
}  // namespace unicni::test::unwritable_answer_test
