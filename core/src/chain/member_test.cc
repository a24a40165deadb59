#include "chain/member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/temp_folder_for_test.h"
#include "unicni/sys/file.h"
#include "unicni/undo/delegate.h"

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
  [[nodiscard]] Assignment assigned() const { return assign(entry_, members_, where_); }
  /// There are modules of these names from now on, and links to the executable in CNI_PATH.
  void install(const std::vector<std::string>& modules, const std::vector<std::string>& links) {
    where_.executable = folder_ / "unicni";
    sys::write_file_atomically(where_.executable, "", 0755);
    where_.modules = {folder_ / "modules"};
    where_.cni_path = {folder_ / "bin"};
    for (const char* name : {"modules", "bin"}) sys::ensure_folder(folder_ / name, 0700);
    for (const std::string& name : modules) {
      sys::write_file_atomically(folder_ / ("modules/" + name + ".so"), "", 0600);
    }
    for (const std::string& name : links) {
      ASSERT_EQ(::symlink(where_.executable.c_str(), (folder_ / ("bin/" + name)).c_str()), 0);
    }
  }
  /// A list of bridge and two tunings.
  void two_tunings() {
    step("bridge", R"({"type": "bridge"})", 0);
    step("tuning", R"({"type": "tuning", "mtu": 1})", 1);
    step("tuning", R"({"type": "tuning", "mtu": 2})", 2);
  }
  journal::Entry entry_;
  std::vector<Member> members_;
  TempFolder folder_;
  module::Locations where_;
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

/// As an edit from "cnv-tuning" to "tuning" makes them, or a link that is called otherwise.
TEST_F(Assign, AnotherNameOfTheModuleHasItsStep) {
  install({"bridge", "tuning", "host-device"}, {"new-tuning"});
  step("bridge", "{}", 0);
  step("cnv-tuning", R"({"type": "cnv-tuning", "mtu": 1})", 1);
  member("bridge", "{}", 0);
  member("tuning", R"({"type": "tuning", "mtu": 1})", 1);
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(0), ElementsAre(1)));
  members_.pop_back();
  member("new-tuning", R"({"type": "new-tuning"})", 4);
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(0), ElementsAre(1)));
  members_.pop_back();
  member("other-tuning", "{}", 1);  // no file of ours says so
  EXPECT_THAT(assigned().left, ElementsAre(1));
  members_.pop_back();
  member("host-device", "{}", 1);
  EXPECT_THAT(assigned().left, ElementsAre(1));
}

TEST_F(Assign, TheVeryNameGoesBeforeAnother) {
  install({"tuning"}, {});
  step("tuning", "{}", {});
  step("cnv-tuning", "{}", {});
  member("tuning", "{}", {});
  EXPECT_THAT(assigned().of_members, ElementsAre(ElementsAre(0)));
  EXPECT_THAT(assigned().left, ElementsAre(1));
}

TEST_F(Assign, AProgramsStepIsOfNoModule) {
  install({"tuning"}, {});
  step("cnv-tuning", "{}", {});
  entry_.steps[0].undo.push_back(undo_delegate("cnv-tuning", "/opt/cni/bin/cnv-tuning", "{}"));
  member("tuning", "{}", {});
  EXPECT_THAT(assigned().left, ElementsAre(0));
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
