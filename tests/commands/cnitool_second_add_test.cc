// A second ADD of an attachment that lives is refused, and the roll-back of what it didn't do
// leaves the living one its network, whatever became of the cache entry.
#include <functional>
#include <tuple>

#include "cnitool.h"
#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/recorder.h"

namespace unicni::test::cnitool_second_add_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Makes a veth, and refuses to if the interface stands, as the reference's plugins do.
constexpr const char* kMaker = R"sh(#!/bin/sh
cat > /dev/null
link() { nsenter --net="$CNI_NETNS" ip link "$@" 2> /dev/null; }
case $CNI_COMMAND in
ADD)
  if ! link add "$CNI_IFNAME" type veth peer name peer; then
    echo '{"code":100,"msg":"container interface name already exists"}'; exit 1
  fi
  echo '{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"'"$CNI_NETNS"'"}],'
  echo '"ips":[{"address":"10.7.0.2/24","interface":0}]}';;
DEL) link del "$CNI_IFNAME";;
esac
exit 0
)sh";

void cut(const std::string& entry) { write_file(entry, ""); }
void spoil(const std::string& entry) { write_file(entry, "{x"); }
void remove(const std::string& entry) { std::filesystem::remove(entry); }

struct Fate {
  const char* name;
  void (*happen)(const std::string& entry);  ///< nullptr: the entry stays as it is
};
constexpr Fate kFates[] = {{"Good", nullptr}, {"Empty", cut}, {"Garbage", spoil}, {"Gone", remove}};

enum class Kind : unsigned char { ours, foreign, list };

class CnitoolSecondAdd : public CnitoolTest {
 protected:
  CnitoolSecondAdd() { install_script("/run/plugins/maker", kMaker); }
  static Json list_of(Kind kind) {
    Json config = list();
    if (kind == Kind::foreign) config["plugins"][0] = {{"type", "maker"}};
    if (kind == Kind::list) {
      config["plugins"] = Json::array({{{"type", "unicni"}, {"plugins", list()["plugins"]}}});
    }
    return config;
  }
  static Output verb(const std::string& verb, const std::string& way, const std::string& netns) {
    return cnitool({verb, way, "--container-id", "c1", "mynet", netns},
                   {"CNI_PATH=/run/plugins:" + bin_dir()});
  }
  static std::string expect_refused(const Output& output) {
    EXPECT_EQ(output.status, 1) << output.str();
    return output.err;
  }
  Container blue_{"blue"};
};

class CnitoolSecondAddMatrix
    : public CnitoolSecondAdd,
      public ::testing::WithParamInterface<std::tuple<const char*, Fate, Kind>> {};

TEST_P(CnitoolSecondAddMatrix, LeavesTheLivingAttachmentItsNetwork) {
  const auto& [way, fate, kind] = GetParam();
  put("10-mynet.conflist", list_of(kind));
  const Snapshot nothing = snapshot();
  const Output first = verb("add", way, blue_.path());
  ASSERT_EQ(first.status, 0) << first.str();
  ASSERT_EQ(results().size(), 1U);
  if (fate.happen != nullptr) fate.happen("/var/lib/cni/results/" + results().at(0));
  const Snapshot living = snapshot();
  const auto links = link_names(blue_.fd());

  const std::string why = expect_refused(verb("add", way, blue_.path()));
  EXPECT_THAT(why, HasSubstr(" already"));
  EXPECT_EQ(difference(living, snapshot()), "");
  EXPECT_EQ(link_names(blue_.fd()), links);

  const Output gone = verb("del", way, blue_.path());
  EXPECT_EQ(gone.status, 0) << gone.str();
  EXPECT_EQ(difference(without_link(nothing, "cni0"), without_link(snapshot(), "cni0")), "");
  EXPECT_THAT(link_names(blue_.fd()), IsEmpty());
}

std::string name_of(const ::testing::TestParamInfo<CnitoolSecondAddMatrix::ParamType>& each) {
  const auto& [way, fate, kind] = each.param;
  constexpr const char* kKinds[] = {"Ours", "Foreign", "List"};
  return std::string(way == std::string("--exec") ? "Programs" : "Process") + fate.name +
         kKinds[static_cast<int>(kind)];
}

INSTANTIATE_TEST_SUITE_P(
    By, CnitoolSecondAddMatrix,
    ::testing::Combine(::testing::Values("--exec", "--in-process"), ::testing::ValuesIn(kFates),
                       ::testing::Values(Kind::ours, Kind::foreign, Kind::list)),
    name_of);

class CnitoolSecondAddBy : public CnitoolSecondAdd,
                           public ::testing::WithParamInterface<const char*> {};

TEST_P(CnitoolSecondAddBy, LeavesWhatARuntimeMadeThatCallsThePluginItself) {
  put("10-mynet.conflist", list());
  Attachment theirs{.config = list()["plugins"][0], .netns = blue_.path()};
  theirs.config["cniVersion"] = "1.1.0";
  theirs.config["name"] = "mynet";
  must_add(theirs);
  const Snapshot living = snapshot();
  EXPECT_THAT(expect_refused(verb("add", GetParam(), blue_.path())),
              HasSubstr("is attached already"));
  EXPECT_EQ(difference(living, snapshot()), "");
  EXPECT_THAT(addresses_of("eth0", blue_.fd()), ElementsAre("10.7.0.2/24"));
}

/// The entry is there, and of another namespace than the second ADD's.
TEST_P(CnitoolSecondAddBy, LeavesTheAttachmentInAnotherNamespaceItsNetwork) {
  const Container red("red");
  for (const Kind kind : {Kind::ours, Kind::list}) {
    put("10-mynet.conflist", list_of(kind));
    const Output first = verb("add", GetParam(), blue_.path());
    ASSERT_EQ(first.status, 0) << first.str();
    const Snapshot living = snapshot();
    EXPECT_THAT(expect_refused(verb("add", GetParam(), red.path())),
                HasSubstr("is attached already, in " + blue_.path()));
    EXPECT_EQ(difference(living, snapshot()), "");
    EXPECT_THAT(link_names(red.fd()), IsEmpty());
    EXPECT_EQ(verb("del", GetParam(), blue_.path()).status, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(By, CnitoolSecondAddBy, ::testing::Values("--exec", "--in-process"),
                         [](const auto& each) {
                           return each.param == std::string("--exec") ? "Programs" : "Process";
                         });

}  // namespace
}  // namespace unicni::test::cnitool_second_add_test
