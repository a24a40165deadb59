#include <gtest/gtest.h>

#include <memory>

#include "config.h"
#include "unicni/error.h"
#include "unicni/module.h"

extern "C" const unicni::ModuleDescriptor unicni_module_dummy;

namespace unicni::dummy::dummy_test {
namespace {

unsigned refusal(Command command, const char* ipam) {
  const DummyOptions options;
  Call call;
  call.command = command;
  call.spec_version = "1.1.0";
  call.ipam_type = ipam;
  call.parsed_options = &options;
  if (command == Command::check) call.prev_result.emplace();
  const std::unique_ptr<Module, void (*)(Module*) noexcept> module(unicni_module_dummy.create(),
                                                                   unicni_module_dummy.destroy);
  try {
    module->validate(call);
    return 0;
  } catch (const Error& error) {
    EXPECT_NE(error.msg().find("ipam"), std::string::npos);
    return error.code();
  }
}

TEST(Dummy, NeedsIpamForAllButGc) {
  for (const Command command : {Command::add, Command::check, Command::status}) {
    EXPECT_EQ(refusal(command, "host-local"), 0U);
    EXPECT_EQ(refusal(command, ""), 7U);
  }
  EXPECT_EQ(refusal(Command::gc, ""), 0U);
}

TEST(Dummy, IsALinkWithoutCapabilities) {
  EXPECT_EQ(unicni_module_dummy.kind, ModuleKind::link);
  EXPECT_STREQ(unicni_module_dummy.name, "dummy");
  EXPECT_EQ(unicni_module_dummy.capabilities[0], nullptr);
}

}  // namespace
}  // namespace unicni::dummy::dummy_test
