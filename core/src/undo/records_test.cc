#include "unicni/undo/records.h"

#include <gtest/gtest.h>

namespace unicni {
namespace {

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

TEST(Undo, AFirewalldRecordHoldsItsSource) {
  const net::FirewalldSource source{"trusted", IpAddress::parse("fd00::5").value()};
  const Undo record = undo_firewalld_source(source, "net/c1/eth0");
  EXPECT_EQ(find_firewalld_source(record), source);
  EXPECT_EQ(find_firewalld_source(undo_bridge("br0")), std::nullopt);
}

}  // namespace
}  // namespace unicni
