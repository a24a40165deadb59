#include "unicni/parent_link.h"

#include <gmock/gmock.h>

#include "unicni/error.h"

namespace unicni::parent_link_test {
namespace {

using ::testing::HasSubstr;

template <class Work>
Error refusal(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "was not refused";
  return {Code::internal, ""};
}

TEST(ParentChoice, NameAndMtuAreThoseThatALinkMayHave) {
  EXPECT_NO_THROW(require_valid({}));
  EXPECT_NO_THROW(require_valid({"eth0.7", true, 1500}));
  EXPECT_THAT(refusal([] { require_valid({"a/b", false, 0}); }).msg(), HasSubstr("master"));
  EXPECT_THAT(refusal([] { require_valid({"eth0", false, 67}); }).msg(), HasSubstr("mtu"));
  EXPECT_THAT(refusal([] { require_valid({"eth0", false, -1}); }).msg(), HasSubstr("mtu"));
}

net::Link parent() {
  net::Link link;
  link.name = "eth7";
  link.mtu = 1400;
  return link;
}

TEST(ParentLink, TheMtuIsAtMostTheParents) {
  for (const std::int64_t mtu : {0, 68, 1400}) {
    EXPECT_NO_THROW(require_mtu_within({"eth7", false, mtu}, parent())) << mtu;
  }
  const Error error = refusal([] { require_mtu_within({"eth7", false, 1401}, parent()); });
  EXPECT_TRUE(error.is(Code::invalid_config));
  EXPECT_EQ(error.msg(), "invalid MTU 1401, must be [0, master MTU(1400)]");
  EXPECT_THAT(error.details(), HasSubstr("eth7"));
}

TEST(ParentLink, AParentThatIsDownIsNamedWithTheCommand) {
  net::Link link = parent();
  EXPECT_EQ(refusal([&] { require_up(link); }).details(), "ip link set eth7 up");
  link.up = true;
  EXPECT_NO_THROW(require_up(link));
}

TEST(ParentLink, WhatRefusesAddIsNotAvailableForStatus) {
  const auto refuse = [] { throw Error(Code::internal, "what", "why"); };
  const Error error = refusal([&] { require_available({"eth7", false, 0}, refuse); });
  EXPECT_TRUE(error.is(Code::not_available));
  EXPECT_EQ(error.msg(), "what");
  EXPECT_EQ(error.details(), "why");
  EXPECT_NO_THROW(require_available({"eth7", true, 0}, refuse)) << "STATUS has no container";
  EXPECT_NO_THROW(require_available({"eth7", false, 0}, [] {}));
}

}  // namespace
}  // namespace unicni::parent_link_test
