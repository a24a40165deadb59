// What happens with modules that can be loaded: exceptions of every kind survive as Errors of our
// own.
#include "module/loader.h"

#include <dlfcn.h>
#include <gmock/gmock.h>

#include "base/error_for_test.h"
#include "interface/fake_host_for_test.h"
#include "module/note.h"
#include "scratch.h"
#include "unicni/error.h"

namespace unicni::module::loader_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// The fixtures never touch their host.
class LoaderTest : public testing::Test {
 protected:
  LoadedModule load_fixture(const std::string& name) {
    return load(name, prefix_.add_fixture(name), prefix_.executable());
  }
  Call call() {
    Call call;
    call.key.if_name = "eth0";
    return call;
  }

  scratch::Prefix prefix_;
  FakeHost host_;
};

TEST_F(LoaderTest, LoadsAndRunsAModule) {
  auto module = load_fixture("fixture-good");
  EXPECT_STREQ(module.descriptor().name, "fixture-good");
  EXPECT_TRUE(module.has_capability("ips"));
  EXPECT_FALSE(module.has_capability("portMappings"));
  module.validate(call());
  const auto result = module.add(call(), host_);
  ASSERT_EQ(result.interfaces.size(), 1U);
  EXPECT_EQ(result.interfaces[0].name, "eth0");
  module.check(call(), host_);
  module.del(call(), host_);
  module.gc(call(), host_);
  module.status(call(), host_);
}

TEST_F(LoaderTest, AModuleSaysItsOwnVersionAndTraits) {
  const auto foreign = load_fixture("fixture-foreign");
  const auto& descriptor = foreign.descriptor();
  EXPECT_STREQ(descriptor.name, "fixture-foreign");
  EXPECT_STREQ(descriptor.version, "7.1-rc2");
  EXPECT_STREQ(descriptor.built_for, UNICNI_VERSION);
  EXPECT_EQ(descriptor.kind, ModuleKind::ipam);
  EXPECT_STREQ(descriptor.spec_versions[0], "1.0.0");
  EXPECT_TRUE(foreign.has_trait(Trait::needs_link));
  EXPECT_TRUE(foreign.has_trait(Trait::delegates));
  EXPECT_FALSE(foreign.has_trait(Trait::stateless));
  EXPECT_FALSE(foreign.has_trait(Trait::enters_container));
  EXPECT_FALSE(foreign.has_capability("needs-link"));
  const auto note = read_note(prefix_.module("fixture-foreign"));
  EXPECT_STREQ(note.name, "fixture-foreign");
  EXPECT_STREQ(note.version, "7.1-rc2");
  EXPECT_STREQ(note.built_for, UNICNI_VERSION);
  EXPECT_EQ(note.kind, static_cast<std::uint32_t>(ModuleKind::ipam));
  EXPECT_STREQ(load_fixture("fixture-good").descriptor().version, UNICNI_VERSION);
}

TEST_F(LoaderTest, AModuleMayChangeALivingAttachment) {
  auto module = load_fixture("fixture-foreign");
  Call was = call();
  was.key.network = "old";
  Call now = call();
  now.key.network = "new";
  EXPECT_EQ(module.update(now, was, host_).interfaces.at(0).name, "old to new");
  now.key.if_name = "eth1";
  const auto error = error_of([&] { module.update(now, was, host_); });
  EXPECT_TRUE(error.is(Code::unsupported_field));
  EXPECT_EQ(error.msg(), "fixture-foreign: CNI_IFNAME: eth0 can't become eth1");
}

TEST_F(LoaderTest, AModuleThatCantSaysWhatToDoInstead) {
  auto module = load_fixture("fixture-good");
  Call now = call();
  now.type = "fixture-good";
  const auto error = error_of([&] { module.update(now, call(), host_); });
  EXPECT_TRUE(error.is(Code::incompatible_version));
  EXPECT_EQ(error.msg(), "fixture-good: a living attachment can't be changed by this plugin");
  EXPECT_EQ(error.details(), "DEL the attachment and ADD it with the new configuration");
}

TEST_F(LoaderTest, AModuleMayHaveACommandLine) {
  auto module = load_fixture("fixture-foreign");
  const char* const arguments[] = {"count", "42", nullptr};
  EXPECT_EQ(module.command(2, arguments), 42);
  EXPECT_EQ(module.command(1, arguments), 2);
}

TEST_F(LoaderTest, AModuleWithoutACommandLineSaysHowItIsUsed) {
  auto module = load_fixture("fixture-good");
  const char* const arguments[] = {"daemon", nullptr};
  const auto error = error_of([&] { module.command(1, arguments); });
  EXPECT_TRUE(error.is(Code::invalid_environment));
  EXPECT_EQ(error.msg(), "fixture-good: there is no command \"daemon\"");
  EXPECT_THAT(error.details(), StartsWith("usage: "));
  EXPECT_EQ(error_of([&] { module.command(0, nullptr); }).msg(),
            "fixture-good: there is no command \"\"");
}

TEST_F(LoaderTest, KeepsTheLibraryOpenAfterTheInstanceIsGone) {
  const auto path = prefix_.add_fixture("fixture-good");
  const char* version = nullptr;
  { version = load("fixture-good", path, prefix_.executable()).descriptor().version; }
  void* open = ::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  EXPECT_NE(open, nullptr);
  EXPECT_STREQ(version, UNICNI_VERSION);
  if (open != nullptr) ::dlclose(open);
}

TEST_F(LoaderTest, ALoadedModuleMovesAsOneOwner) {
  auto first = load_fixture("fixture-good");
  auto second = std::move(first);
  second = load_fixture("fixture-throws-error");
  EXPECT_STREQ(second.descriptor().name, "fixture-throws-error");
}

TEST_F(LoaderTest, TwoInstancesShareALibrary) {
  const auto path = prefix_.add_fixture("fixture-good");
  const auto first = load("fixture-good", path, prefix_.executable());
  const auto second = load("fixture-good", path, prefix_.executable());
  EXPECT_EQ(&first.descriptor(), &second.descriptor());
}

TEST_F(LoaderTest, ModulesDontSeeEachOthersSymbols) {
  (void)load_fixture("fixture-good");
  EXPECT_EQ(::dlsym(RTLD_DEFAULT, "unicni_module_fixture_good"), nullptr);
}

TEST_F(LoaderTest, CreateMayThrow) {
  const auto error = error_of([&] { load_fixture("fixture-throws-in-create"); });
  EXPECT_TRUE(error.is(Code::internal));
  EXPECT_EQ(error.msg(), "fixture-throws-in-create: can't be created");
}

TEST_F(LoaderTest, CreateMayReturnNothing) {
  const auto error = error_of([&] { load_fixture("fixture-null-create"); });
  EXPECT_TRUE(error.is(Code::internal));
  EXPECT_EQ(error.msg(), "fixture-null-create: create() of the module returned nothing");
}

TEST_F(LoaderTest, ValidateIsGuardedAndAMissingWhatIsNamed) {
  auto module = load_fixture("fixture-throws-in-validate");
  const auto error = error_of([&] { module.validate(call()); });
  EXPECT_EQ(error.msg(), "fixture-throws-in-validate: validation threw an exception without text");
}

struct Thrown {
  const char* fixture;
  unsigned code;
  const char* msg;  // after "<fixture>: "; %V is the verb
  const char* details;
};

class ThrownTest : public LoaderTest, public testing::WithParamInterface<Thrown> {};

TEST_P(ThrownTest, EveryVerbTurnsItIntoAnErrorOfOurOwn) {
  const auto& expected = GetParam();
  auto module = load_fixture(expected.fixture);
  const auto expect = [&](const char* verb, auto&& action) {
    SCOPED_TRACE(verb);
    const auto error = error_of(action);
    std::string msg = std::string(expected.fixture) + ": " + expected.msg;
    if (const auto at = msg.find("%V"); at != msg.npos) msg.replace(at, 2, verb);
    EXPECT_EQ(error.code(), expected.code);
    EXPECT_EQ(error.msg(), msg);
    EXPECT_EQ(error.details(), expected.details);
    EXPECT_EQ(typeid(error), typeid(Error));
  };
  expect("ADD", [&] { module.add(call(), host_); });
  expect("DEL", [&] { module.del(call(), host_); });
  expect("CHECK", [&] { module.check(call(), host_); });
  expect("GC", [&] { module.gc(call(), host_); });
  expect("STATUS", [&] { module.status(call(), host_); });
}

INSTANTIATE_TEST_SUITE_P(
    All, ThrownTest,
    testing::Values(
        Thrown{"fixture-throws-runtime-error", 999, "the module's own words", ""},
        Thrown{"fixture-throws-int", 999, "%V threw something that is no std::exception", ""},
        Thrown{"fixture-throws-text", 999,
               "%V threw something that is no std::exception: a literal of the module", ""},
        Thrown{"fixture-throws-own-type", 999, "%V threw something that is no std::exception", ""},
        Thrown{"fixture-throws-own-error", 117, "thrown as a subclass of Error", "details of it"},
        Thrown{"fixture-throws-error", 11, "the module is busy", "come again"}),
    [](const auto& tested) {
      std::string name(tested.param.fixture);
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

// An exception that was thrown outlives the instance, since nothing of it belongs to the module.
TEST_F(LoaderTest, AnErrorOutlivesItsModule) {
  std::exception_ptr kept;
  {
    auto module = load_fixture("fixture-throws-own-error");
    try {
      module.add(call(), host_);
    } catch (...) {
      kept = std::current_exception();
    }
  }
  EXPECT_EQ(error_of([&] { std::rethrow_exception(kept); }).msg(),
            "fixture-throws-own-error: thrown as a subclass of Error");
}

TEST_F(LoaderTest, TheHostsLibstdcxxServesAllThatAModuleUses) {
  auto module = load_fixture("fixture-sdk");
  const auto result = module.add(call(), host_);
  std::vector<std::string> names;
  for (const auto& interface : result.interfaces) names.push_back(interface.name);
  EXPECT_THAT(names, ElementsAre("eth", "thread", "crossed a thread", "filesystem", "iostream"));

  const auto del = error_of([&] { module.del(call(), host_); });
  EXPECT_THAT(del.msg(), StartsWith("fixture-sdk: filesystem error: "));
  EXPECT_THAT(del.msg(), HasSubstr("/nonexistent/fixture-sdk"));

  const auto check = error_of([&] { module.check(call(), host_); });
  EXPECT_THAT(check.msg(), StartsWith("fixture-sdk: "));
  EXPECT_THAT(check.msg(), HasSubstr("regular expression"));
}

}  // namespace
}  // namespace unicni::module::loader_test
