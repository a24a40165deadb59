#include "unicni/call.h"

#include <gtest/gtest.h>

#include "unicni/undo.h"

namespace unicni {
namespace {

TEST(Call, NamesOfCommands) {
  EXPECT_STREQ(command_name(Command::add), "ADD");
  EXPECT_STREQ(command_name(Command::del), "DEL");
  EXPECT_STREQ(command_name(Command::check), "CHECK");
  EXPECT_STREQ(command_name(Command::gc), "GC");
  EXPECT_STREQ(command_name(Command::status), "STATUS");
  EXPECT_STREQ(command_name(Command::version), "VERSION");
}

TEST(Undo, OnlySharedObjectsOutliveARemoval) {
  EXPECT_FALSE(undo_veth("veth1", "a/b/c").on_failure_only);
  EXPECT_FALSE(undo_file("/x", "y").on_failure_only);
  EXPECT_FALSE(undo_nft({}).on_failure_only);
  EXPECT_FALSE(undo_delegate("t", "/p", "{}").on_failure_only);
  EXPECT_TRUE(undo_bridge("cni0").on_failure_only);
  EXPECT_TRUE(undo_shared_address("cni0", *IpNet::parse("10.0.0.1/24")).on_failure_only);
}

TEST(Undo, FieldsAreNamed) {
  const Undo record = undo_shared_address("cni0", *IpNet::parse("10.0.0.1/24"));
  const std::vector<std::pair<std::string, std::string>> fields = {{"link", "cni0"},
                                                                   {"address", "10.0.0.1/24"}};
  EXPECT_EQ(record.type, "shared-address");
  EXPECT_EQ(record.fields, fields);
}

}  // namespace
}  // namespace unicni
