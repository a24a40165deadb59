// The executable with broken modules: whatever a module is or does, stdout carries exactly one
// error document.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "protocol/reply.h"
#include "protocol/version.h"
#include "scratch.h"
#include "unicni/error.h"

namespace unicni::test::executable_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// The executable under test: of the tree that UNICNI_STAGE names, else of this build.
std::string executable_under_test() {
  const char* stage = std::getenv("UNICNI_STAGE");
  return stage == nullptr ? BUILT_EXECUTABLE : std::string(stage) + "/libexec/cni/unicni";
}

/// A network namespace for CNI_NETNS, held by a child that sleeps in it.
class Container {
 public:
  Container() {
    std::array<int, 2> ready{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      const char byte = ::unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
      if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    char byte = 'n';
    ok_ = ::read(ready[0], &byte, 1) == 1 && byte == 'y';
    ::close(ready[0]);
    ::close(ready[1]);
  }
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::string path() const { return "/proc/" + std::to_string(child_) + "/ns/net"; }

 private:
  pid_t child_ = -1;
  bool ok_ = false;
};

struct Outcome {
  std::string out;
  int exit_status = -1;  // -1: a signal
};

std::string drain(int fd) {
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = ::read(fd, piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

class ExecutableTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root for namespaces";
    const auto executable = executable_under_test();
    if (!std::filesystem::exists(executable)) {
      GTEST_SKIP() << executable << " is not there; set UNICNI_STAGE to an install tree";
    }
    ASSERT_TRUE(container_.ok());
    prefix_.copy(executable, prefix_.executable());
  }

  void link(const std::string& type) {
    std::filesystem::create_symlink("unicni", prefix_.cni() + '/' + type);
  }

  /// A folder elsewhere, as runtimes have one.
  std::string other_folder() {
    const std::string folder = prefix_.path() + "/opt/cni/bin";
    std::filesystem::create_directories(folder);
    return folder;
  }

  /// The same with the program named by its path.
  Outcome run_at(const std::string& program, const std::string& verb) {
    program_ = program;
    const auto outcome = run(program.substr(program.rfind('/') + 1), verb);
    program_.clear();
    return outcome;
  }

  /// One verb of the plugin `type`, in network and mount namespaces of its own with an empty /run.
  /// `options` are further members of the configuration, each with a comma in front.
  Outcome run(const std::string& type, const std::string& verb, const std::string& options = "") {
    const std::string config =
        R"({"cniVersion": "1.0.0", "name": "loader-net", "type": ")" + type + '"' + options + '}';
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    EXPECT_EQ(::pipe2(in.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) execute(type, verb, in[0], out[1]);
    ::close(in[0]);
    ::close(out[1]);
    ::signal(SIGPIPE, SIG_IGN);
    // VERSION and a call with arguments may end without reading.
    const ssize_t written = ::write(in[1], config.data(), config.size());
    EXPECT_TRUE(written == static_cast<ssize_t>(config.size()) || errno == EPIPE)
        << std::strerror(errno);
    ::close(in[1]);
    Outcome outcome;
    outcome.out = drain(out[0]);
    ::close(out[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) outcome.exit_status = WEXITSTATUS(status);
    return outcome;
  }

  /// With arguments and without CNI_COMMAND; `out` has stderr's text as well.
  Outcome run_with(const std::string& type, std::vector<std::string> arguments) {
    arguments_ = std::move(arguments);
    auto outcome = run(type, "");
    arguments_.clear();
    return outcome;
  }

  /// Asserts one error document and nothing else, and returns it.
  unicni::Error error_of(const Outcome& outcome) {
    EXPECT_EQ(outcome.exit_status, 1);
    const auto error = unicni::protocol::parse_error(outcome.out, "", {"no JSON"});
    EXPECT_EQ(outcome.out, unicni::protocol::print_error(error, "1.0.0"));
    return error;
  }

  scratch::Prefix prefix_;
  Container container_;
  std::string program_;  // "": of the prefix

 private:
  std::vector<std::string> arguments_;

  [[noreturn]] void execute(const std::string& type, const std::string& verb, int in, int out) {
    const bool apart = ::unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
                       ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("tmpfs", "/run", "tmpfs", 0, nullptr) == 0;
    if (!apart || ::dup2(in, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0) ::_exit(99);
    const std::string program = program_.empty() ? prefix_.cni() + '/' + type : program_;
    std::vector<std::string> variables = {"CNI_COMMAND=" + verb, "CNI_CONTAINERID=loader-test",
                                          "CNI_NETNS=" + container_.path(), "CNI_IFNAME=eth0",
                                          "CNI_PATH=" + prefix_.cni()};
    std::vector<char*> environment;
    for (auto& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    std::vector<const char*> arguments = {program.c_str()};
    for (const auto& argument : arguments_) arguments.push_back(argument.c_str());
    if (!arguments_.empty() && ::dup2(out, STDERR_FILENO) < 0) ::_exit(99);
    arguments.push_back(nullptr);
    ::execve(program.c_str(), const_cast<char* const*>(arguments.data()), environment.data());
    ::_exit(98);
  }
};

TEST_F(ExecutableTest, AGoodModuleAnswers) {
  (void)prefix_.add_fixture("fixture-good");
  link("fixture-good");
  const auto outcome = run("fixture-good", "ADD");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("\"cniVersion\": \"1.0.0\""));
  EXPECT_THAT(outcome.out, HasSubstr("\"eth0\""));
}

TEST_F(ExecutableTest, AModulesCommandLineIsItsOwn) {
  (void)prefix_.add_fixture("fixture-foreign");
  link("acme-fixture-foreign");
  const auto count = run_with("acme-fixture-foreign", {"count", "42"});
  EXPECT_EQ(count.exit_status, 42);
  EXPECT_EQ(count.out, "");
}

TEST_F(ExecutableTest, ACommandThatNobodyHasIsToldInWords) {
  (void)prefix_.add_fixture("fixture-good");
  link("fixture-good");
  const auto outcome = run_with("fixture-good", {"daemon"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.out, StartsWith("fixture-good: there is no command \"daemon\"\nusage: "));
  link("fixture-absent");
  EXPECT_THAT(run_with("fixture-absent", {"daemon"}).out, StartsWith("module \"fixture-absent\""));
  EXPECT_THAT(run_with("fixture-good", {"--daemon"}).out,
              StartsWith("unicni: unknown argument \"--daemon\""));
}

TEST_F(ExecutableTest, AModulesOwnVersionIsTold) {
  (void)prefix_.add_fixture("fixture-foreign");
  link("fixture-foreign");
  EXPECT_THAT(run_with("fixture-foreign", {"--version"}).out,
              HasSubstr("\nunicni " UNICNI_VERSION ", fixture-foreign 7.1-rc2\n"));
}

// ptp by the other compiler, static by this one.
TEST_F(ExecutableTest, AModuleByAnotherCompilerDoesItsJob) {
  const std::string folder = OTHER_COMPILERS;
  if (std::string(UNICNI_LIBSTDCXX) != "host") return;  // sanitizers: it isn't built
  if (!std::filesystem::exists(folder + "/ptp.so")) {
    GTEST_SKIP() << "there was no other compiler (sudo tools/setup --tests)";
  }
  prefix_.copy(folder + "/ptp.so", prefix_.module("ptp"));
  prefix_.copy(std::string(MODULES) + "/static.so", prefix_.module("static"));
  link("ptp");
  const auto with = [](const std::string& gateway) {
    return R"(, "ipam": {"type": "static", "addresses": [{"address": "10.22.0.5/16")" + gateway +
           "}]}";
  };
  EXPECT_EQ(error_of(run("ptp", "ADD", with(""))).msg(),
            "ptp: IPAM static gave 10.22.0.5/16 no gateway");
  const std::string options = with(R"(, "gateway": "10.22.0.1")");
  const auto add = run("ptp", "ADD", options);
  EXPECT_EQ(add.exit_status, 0) << add.out;
  EXPECT_THAT(add.out, HasSubstr("\"10.22.0.5/16\""));
  EXPECT_EQ(run("ptp", "DEL", options).exit_status, 0);
}

TEST_F(ExecutableTest, AnAbsentModule) {
  link("fixture-absent");
  const auto error = error_of(run("fixture-absent", "ADD"));
  EXPECT_EQ(error.code(), 7U);
  EXPECT_THAT(error.msg(),
              StartsWith("module \"fixture-absent\" is absent from " + prefix_.modules() + ", " +
                         prefix_.cni() + "/unicni-modules, /"));
  EXPECT_THAT(error.details(), HasSubstr("cmake --install"));
}

TEST_F(ExecutableTest, ARenamedLinkDoesItsJob) {
  (void)prefix_.add_fixture("fixture-good");
  link("acme-cni-fixture-good");
  const auto outcome = run("acme-cni-fixture-good", "ADD");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("\"eth0\""));
}

TEST_F(ExecutableTest, AHardLinkDoesItsJob) {
  (void)prefix_.add_fixture("fixture-good");
  std::filesystem::create_hard_link(prefix_.executable(), prefix_.cni() + "/fixture-good");
  EXPECT_EQ(run("fixture-good", "ADD").exit_status, 0);
  EXPECT_EQ(run("fixture-good", "VERSION").exit_status, 0);
}

TEST_F(ExecutableTest, ACopyWithModulesBesideItDoesItsJob) {
  const std::string copy = other_folder() + "/acme-fixture-good";
  prefix_.copy(prefix_.executable(), copy);
  std::filesystem::create_directory(other_folder() + "/unicni-modules");
  prefix_.copy(std::string(FIXTURES) + "/fixture-good.so",
               other_folder() + "/unicni-modules/fixture-good.so");
  const auto outcome = run_at(copy, "ADD");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.out;
  EXPECT_EQ(run_at(copy, "VERSION").exit_status, 0);
}

TEST_F(ExecutableTest, ModulesBesideACopyAreTrustedByTheSameRules) {
  const std::string copy = other_folder() + "/fixture-good";
  const std::string modules = other_folder() + "/unicni-modules";
  prefix_.copy(prefix_.executable(), copy);
  std::filesystem::create_directory(modules);
  prefix_.copy(std::string(FIXTURES) + "/fixture-good.so", modules + "/fixture-good.so");
  ::chmod(modules.c_str(), 0777);
  const auto error = error_of(run_at(copy, "ADD"));
  EXPECT_THAT(error.msg(), HasSubstr("folder " + modules + " has mode 0777"));
}

TEST_F(ExecutableTest, VersionFailsAsAddDoes) {
  link("fixture-absent");
  link("fixture-text");
  link("fixture-wrong-abi");
  link("acme-fixture-god");
  prefix_.write(prefix_.module("fixture-text"), "not a library");
  (void)prefix_.add_fixture("fixture-wrong-abi");
  (void)prefix_.add_fixture("fixture-good");
  for (const auto* type :
       {"fixture-absent", "fixture-text", "fixture-wrong-abi", "acme-fixture-god"}) {
    const auto add = run(type, "ADD");
    const auto version = run(type, "VERSION");
    EXPECT_EQ(version.exit_status, 1) << type;
    const auto told = unicni::protocol::parse_error(version.out, "", {"no JSON"});
    EXPECT_EQ(told.msg(), error_of(add).msg());
    const auto about = run(type, "");
    EXPECT_EQ(about.exit_status, 1) << type;
    EXPECT_EQ(about.out, version.out);
  }
  EXPECT_THAT(error_of(run("acme-fixture-god", "ADD")).msg(),
              HasSubstr("did you mean \"fixture-good\"?"));
}

TEST_F(ExecutableTest, AModuleThatIsText) {
  prefix_.write(prefix_.module("fixture-text"), "not a library");
  link("fixture-text");
  const auto error = error_of(run("fixture-text", "ADD"));
  EXPECT_EQ(error.code(), 999U);
  EXPECT_THAT(error.msg(),
              HasSubstr(prefix_.module("fixture-text") + " is unusable: it is not an ELF file"));
}

TEST_F(ExecutableTest, AModuleThatOthersCanWrite) {
  ::chmod(prefix_.add_fixture("fixture-good").c_str(), 0777);
  link("fixture-good");
  const auto error = error_of(run("fixture-good", "ADD"));
  EXPECT_THAT(error.msg(), HasSubstr("has mode 0777"));
}

TEST_F(ExecutableTest, AModuleInAFolderThatOthersCanWrite) {
  (void)prefix_.add_fixture("fixture-good");
  link("fixture-good");
  ::chmod(prefix_.modules().c_str(), 0777);
  const auto error = error_of(run("fixture-good", "ADD"));
  EXPECT_THAT(error.msg(), HasSubstr("folder " + prefix_.modules() + " has mode 0777"));
}

TEST_F(ExecutableTest, AModuleOfAForeign) {
  const auto path = prefix_.add_fixture("fixture-good");
  ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
  link("fixture-good");
  const auto error = error_of(run("fixture-good", "ADD"));
  EXPECT_THAT(error.msg(), HasSubstr("belongs to uid 12345"));
}

TEST_F(ExecutableTest, AModuleWithALibstdcxxOfItsOwn) {
  (void)prefix_.add_fixture("fixture-own-libstdcxx");
  link("fixture-own-libstdcxx");
  if (std::string(UNICNI_LIBSTDCXX) != "host") {  // shared by all, as in sanitizer builds
    EXPECT_EQ(run("fixture-own-libstdcxx", "ADD").exit_status, 0);
    return;
  }
  const auto error = error_of(run("fixture-own-libstdcxx", "ADD"));
  EXPECT_THAT(error.msg(), HasSubstr("brings its own C++ library, libstdc++.so.6"));
}

TEST_F(ExecutableTest, WhatAModulePrintsIsNoPartOfTheAnswer) {
  (void)prefix_.add_fixture("fixture-misbehaves");
  link("fixture-misbehaves");
  const std::string prints = R"(, "behave": "prints")";
  const auto add = run("fixture-misbehaves", "ADD", prints);
  EXPECT_EQ(add.exit_status, 0) << add.out;
  EXPECT_EQ(add.out, run("fixture-misbehaves", "ADD").out);
  const auto del = run("fixture-misbehaves", "DEL", prints);
  EXPECT_EQ(del.exit_status, 0);
  EXPECT_EQ(del.out, "");
  EXPECT_THAT(error_of(run("fixture-misbehaves", "ADD", R"(, "behave": "prints code-0")")).msg(),
              HasSubstr("it went wrong"));
}

TEST_F(ExecutableTest, AModuleThatEndsTheProcessHasFailed) {
  (void)prefix_.add_fixture("fixture-misbehaves");
  link("fixture-misbehaves");
  for (const char* word : {"calls-exit", "calls-quick-exit"}) {
    for (const char* verb : {"ADD", "DEL"}) {
      const auto outcome =
          run("fixture-misbehaves", verb, std::string(R"(, "behave": ")") + word + '"');
      const auto error = error_of(outcome);
      EXPECT_EQ(error.code(), 999U);
      EXPECT_EQ(error.msg(),
                std::string("fixture-misbehaves: the module called exit during ") + verb);
    }
  }
}

/// Each way to call a plugin opens its module.
TEST_F(ExecutableTest, AStaticInitialiserThatEndsTheProcessIsToldWithItsFile) {
  const std::pair<const char*, const char*> ends[] = {
      {"throws", "crashed (SIGABRT) or threw an exception"},
      {"exits", "called exit"},
      {"segv", "crashed (SIGSEGV)"}};
  for (const auto& [word, end] : ends) {
    const std::string type = std::string("fixture-") + word + "-when-opened";
    const std::string path = prefix_.add_fixture(type);
    link(type);
    const std::string text =
        "a static initialiser of the module " + path + ' ' + end + " before any call of the module";
    for (const char* verb : {"ADD", "CHECK", "DEL"}) {
      const auto error = error_of(run(type, verb));
      EXPECT_EQ(error.code(), 999U);
      EXPECT_EQ(error.msg(), type + ": " + text);
    }
    const auto version = run(type, "VERSION");
    EXPECT_EQ(version.exit_status, 1);
    const auto error = unicni::protocol::parse_error(version.out, "", {"no JSON"});
    EXPECT_EQ(version.out, unicni::protocol::print_error(
                               error, unicni::protocol::version_text(unicni::protocol::kNewest)));
    EXPECT_EQ(error.msg(), text);
    EXPECT_EQ(run(type, "").out, version.out);
    EXPECT_EQ(run_with(type, {"--version"}).exit_status, 1);
    EXPECT_THAT(run_with(type, {"--version"}).out, HasSubstr(version.out));
  }
}

TEST_F(ExecutableTest, ADelegatesStaticInitialiserIsToldWithTheMembersName) {
  prefix_.copy(std::string(MODULES) + "/dummy.so", prefix_.module("dummy"));
  link("dummy");
  const std::string path = prefix_.add_fixture("fixture-exits-when-opened");
  EXPECT_EQ(
      error_of(run("dummy", "ADD", R"(, "ipam": {"type": "fixture-exits-when-opened"})")).msg(),
      "dummy: a static initialiser of the module " + path +
          " called exit before any call of the module");
}

TEST_F(ExecutableTest, AResultThatNobodyCanUseIsAnErrorThatNamesTheField) {
  (void)prefix_.add_fixture("fixture-misbehaves");
  link("fixture-misbehaves");
  const auto told = [&](const char* word) {
    return error_of(run("fixture-misbehaves", "ADD", std::string(R"(, "behave": ")") + word + '"'));
  };
  EXPECT_EQ(told("no-such-interface").msg(), "fixture-misbehaves: result.ips[0].interface is 1");
  EXPECT_EQ(told("no-address").msg(), "fixture-misbehaves: result.ips[0].address is 0.0.0.0/0");
  EXPECT_EQ(told("code-0").code(), 999U);
}

TEST_F(ExecutableTest, AChildThatAModuleLeavesKeepsNoLock) {
  (void)prefix_.add_fixture("fixture-misbehaves");
  link("fixture-misbehaves");
  // Both verbs with one /run. The child has what ADD had open.
  const std::string plugin = prefix_.cni() + "/fixture-misbehaves";
  const std::string both = prefix_.path() + "/both";
  prefix_.write(both,
                "#!/bin/sh\nconfig=$(cat)\n"
                "echo \"$config\" | CNI_COMMAND=ADD " +
                    plugin +
                    " >/run/add 2>&1 || exec cat /run/add\n"
                    "echo \"$config\" | CNI_COMMAND=DEL " +
                    plugin + "\n");
  program_ = both;
  const auto outcome = run("fixture-misbehaves", "", R"(, "behave": "leaves-a-child")");
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_EQ(outcome.out, "");
}

struct Broken {
  const char* fixture;
  const char* verb;
  unsigned code;
  const char* text;  // part of msg
};

class BrokenModuleTest : public ExecutableTest, public testing::WithParamInterface<Broken> {};

TEST_P(BrokenModuleTest, OneErrorWithItsOwnText) {
  const auto& broken = GetParam();
  (void)prefix_.add_fixture(broken.fixture);
  link(broken.fixture);
  const auto error = error_of(run(broken.fixture, broken.verb));
  EXPECT_EQ(error.code(), broken.code);
  EXPECT_THAT(error.msg(), HasSubstr(broken.text));
  EXPECT_THAT(error.msg(), HasSubstr(broken.fixture));
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenModuleTest,
    testing::Values(
        Broken{"fixture-no-note", "ADD", 999, "it has no unicni note"},
        Broken{"fixture-no-symbol", "ADD", 999,
               "undefined symbol: unicni_module_fixture_no_symbol"},
        Broken{"fixture-undefined-symbol", "ADD", 999, "undefined symbol: unicni_of_the_future"},
        Broken{"fixture-wrong-abi", "ADD", 999, "module interface 4711"},
        Broken{"fixture-wrong-toolchain", "ADD", 999, "cxxabi9999"},
        Broken{"fixture-lying-note", "ADD", 999, "module interface 4711"},
        Broken{"fixture-other-name", "ADD", 999, "\"fixture-original\" inside"},
        Broken{"fixture-null-create", "ADD", 999, "create() of the module returned nothing"},
        Broken{"fixture-throws-in-create", "ADD", 999, "can't be created"},
        Broken{"fixture-throws-in-validate", "ADD", 999, "validation threw an exception"},
        Broken{"fixture-throws-runtime-error", "ADD", 999, "the module's own words"},
        Broken{"fixture-throws-int", "ADD", 999, "threw something that is no std::exception"},
        Broken{"fixture-throws-int", "DEL", 999, "threw something that is no std::exception"},
        Broken{"fixture-throws-text", "ADD", 999, "a literal of the module"},
        Broken{"fixture-throws-own-type", "ADD", 999, "threw something that is no std::exception"},
        Broken{"fixture-throws-own-error", "ADD", 117, "thrown as a subclass of Error"},
        Broken{"fixture-throws-error", "ADD", 11, "the module is busy"},
        Broken{"fixture-throws-error", "DEL", 11, "the module is busy"},
        Broken{"fixture-segv", "ADD", 999, "the module crashed (SIGSEGV) during ADD"},
        Broken{"fixture-segv", "DEL", 999, "the module crashed (SIGSEGV) during DEL"},
        Broken{"fixture-abort", "ADD", 999, "the module crashed (SIGABRT) during ADD"},
        Broken{"fixture-stack-overflow", "ADD", 999, "the module crashed (SIGSEGV) during ADD"}),
    [](const auto& tested) {
      auto name = std::string(tested.param.fixture) + '_' + tested.param.verb;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace unicni::test::executable_test
