#include "chain/member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unicni::chain::member_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Assign : public ::testing::Test {
 protected:
  void step(const std::string& type, const std::string& config, std::optional<std::size_t> ordinal,
            const std::string& result = "{}") {
    journal::RecordedStep each{type, config, {}, result, entry_.begun++, ordinal};
    entry_.steps.push_back(each);
  }
  void member(const std::string& type, const std::string& config,
              std::optional<std::size_t> ordinal) {
    members_.push_back({type, protocol::Netconf::parse(config), ordinal});
  }
  [[nodiscard]] Assignment assigned() const { return assign(entry_, members_); }
  /// A list of bridge and two tunings.
  void two_tunings() {
    step("bridge", R"({"type": "bridge"})", 0);
    step("tuning", R"({"type": "tuning", "mtu": 1})", 1);
    step("tuning", R"({"type": "tuning", "mtu": 2})", 2);
  }
  journal::Entry entry_;
  std::vector<Member> members_;
};

TEST_F(Assign, EachMemberHasItsOwnStep) {
  two_tunings();
  member("bridge", "{}", 0);  // edited, but the only one
  member("tuning", R"({"mtu": 1, "type": "tuning"})", 1);
  member("tuning", R"({"mtu": 2, "type": "tuning"})", 2);
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
  EXPECT_THAT(assigned().left, IsEmpty());
}

TEST_F(Assign, SwappedMembersKeepTheirConfigurations) {
  two_tunings();
  member("tuning", R"({"type": "tuning", "mtu": 2})", 1);
  member("tuning", R"({"type": "tuning", "mtu": 1})", 2);
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(2), ElementsAre(1)));
  EXPECT_THAT(assigned().left, ElementsAre(0));
}

TEST_F(Assign, AnEditedMemberHasTheStepOfItsPlace) {
  two_tunings();
  member("tuning", R"({"type": "tuning", "mtu": 9})", 1);
  member("tuning", R"({"type": "tuning", "mtu": 2})", 2);
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(1), ElementsAre(2)));
}

TEST_F(Assign, OneThatLeftTheListIsLeft) {
  two_tunings();
  member("bridge", R"({"type": "bridge"})", 0);
  member("tuning", R"({"type": "tuning", "mtu": 2})", 1);
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(0), ElementsAre(2)));
  EXPECT_THAT(assigned().left, ElementsAre(1));
}

TEST_F(Assign, OneThatJoinedTheListHasNone) {
  two_tunings();
  member("tuning", R"({"type": "tuning", "mtu": 1})", 1);
  member("tuning", R"({"type": "tuning", "mtu": 2})", 2);
  member("tuning", R"({"type": "tuning", "mtu": 3})", 3);
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(1), ElementsAre(2), IsEmpty()));
}

TEST_F(Assign, EqualMembersAreToldApartByTheirPlace) {
  step("tuning", R"({"mtu": 1})", 1);
  step("tuning", R"({"mtu": 1})", 2);
  member("tuning", R"({"mtu": 1})", 1);
  member("tuning", R"({"mtu": 1})", 2);
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST_F(Assign, AMemberMayHaveTheStepOfAnInterruptedAddToo) {
  step("tuning", R"({"mtu": 1})", {}, "");
  step("tuning", R"({"mtu": 1, "runtimeConfig": {"mac": "x"}})", {});
  step("tuning", R"({"mtu": 2})", {});
  member("tuning", R"({"mtu": 1, "cniVersion": "1.0.0", "prevResult": {}})", {});
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(0, 1)));
}

TEST_F(Assign, OneThatIsCalledAloneHasTheEqualStepElseTheLast) {
  step("tuning", R"({"mtu": 1})", {});
  step("tuning", R"({"mtu": 2})", {});
  member("tuning", R"({"mtu": 1})", {});
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(0)));
  members_.clear();
  member("tuning", R"({"mtu": 3})", {});
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(1)));
}

TEST_F(Assign, AStepThatCannotBeReadIsEqualToNothing) {
  step("tuning", "not JSON", {});
  step("tuning", R"({"mtu": 2})", {});
  member("tuning", R"({"mtu": 2})", {});
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(1)));
  EXPECT_THAT(assigned().left, ElementsAre(0));
}

}  // namespace
}  // namespace unicni::chain::member_test
