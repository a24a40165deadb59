#include "unicni/call.h"

#include <gtest/gtest.h>

namespace unicni::call_test {
namespace {

TEST(Call, NamesOfCommands) {
  EXPECT_STREQ(command_name(Command::add), "ADD");
  EXPECT_STREQ(command_name(Command::del), "DEL");
  EXPECT_STREQ(command_name(Command::check), "CHECK");
  EXPECT_STREQ(command_name(Command::gc), "GC");
  EXPECT_STREQ(command_name(Command::status), "STATUS");
  EXPECT_STREQ(command_name(Command::version), "VERSION");
}

}  // namespace
}  // namespace unicni::call_test
