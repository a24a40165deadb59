#include "protocol/cached_netns.h"

#include <gtest/gtest.h>

namespace unicni::protocol::cached_netns_test {
namespace {

// As libcni writes it.
constexpr const char* kEntry =
    R"({"kind":"cniCacheV1","containerId":"b-c","config":"e30=","ifName":"eth0",)"
    R"("networkName":"a","netns":"/run/netns/x","result":{"cniVersion":"1.0.0"}})";

TEST(CachedNetns, OfExactlyThisAttachment) {
  EXPECT_EQ(cached_netns(kEntry, "a", "b-c", "eth0"), "/run/netns/x");
  EXPECT_EQ(cached_netns(kEntry, "a-b", "c", "eth0"), std::nullopt) << "the same file name";
  EXPECT_EQ(cached_netns(kEntry, "a", "b-c", "eth1"), std::nullopt);
}

TEST(CachedNetns, WhatIsNoEntrySaysNothing) {
  for (const char* text :
       {"", "null", "[]", "{}", "{\"kind\":\"cniCacheV1\"",
        R"({"kind":"cniCacheV2","containerId":"c","ifName":"e","networkName":"n","netns":"/x"})",
        R"({"kind":"cniCacheV1","containerId":"c","ifName":"e","networkName":"n"})",
        R"({"kind":"cniCacheV1","containerId":"c","ifName":"e","networkName":"n","netns":7})"}) {
    EXPECT_EQ(cached_netns(text, "n", "c", "e"), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace unicni::protocol::cached_netns_test
