// Plugins of others between ADD and DEL: moved, taken away, of another version, failing.
#include "integration/host_test.h"
#include "support/recorder.h"

namespace unicni::test::foreign_gone_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kOld = "/run/q";
constexpr const char* kNew = "/run/r";
constexpr const char* kRefusal =
    R"({"cniVersion": "1.0.0", "code": 1, "msg": "incompatible CNI versions"})";

/// Where in a request a plugin of another maker stands.
enum class As : unsigned char { ipam, member };

class ForeignGone : public HostTest, public ::testing::WithParamInterface<As> {
 protected:
  ForeignGone() {
    plugin_.answer("ADD", R"({"cniVersion": "1.0.0", "ips": [{"address": "10.1.2.77/24"}]})");
  }
  Attachment job(const std::string& name = "c1") {
    Json bridge = {{"type", "bridge"}, {"bridge", "br0"}, {"ipam", {{"type", "fake"}}}};
    Json request = {{"cniVersion", "1.1.0"}, {"name", "net"}};
    if (GetParam() == As::ipam) {
      request.update(bridge);
    } else {
      bridge["ipam"] = {{"type", "host-local"}, {"subnet", "10.1.2.0/24"}};
      request["type"] = "unicni";
      request["plugins"] = {bridge, {{"type", "fake"}}, {{"type", "firewall"}}};
    }
    Attachment job = attachment(request, name);
    job.cni_path = path_of(kOld);
    return job;
  }
  static std::string path_of(const std::string& folder) { return bin_dir() + ':' + folder; }
  static Attachment in(const std::string& folder, Attachment job) {
    job.cni_path = path_of(folder);
    return job;
  }
  static Attachment without_netns(Attachment job) {
    job.netns.clear();
    return job;
  }
  /// The container ends. Its veth goes first, as the kernel takes it some time after the namespace.
  void end(const Attachment& job) {
    Container& container = container_of(job);
    if (find_link("eth0", container.fd())) container.run({"ip", "link", "del", "eth0"});
    container.remove();
  }
  /// GC of the attachment's network, with nothing to keep.
  static Output collect(const Attachment& job) {
    Attachment collector = without_netns(job);
    collector.container_id.clear();
    collector.if_name.clear();
    return collector.gc(Json::array());
  }
  /// Of a network in which nothing of this is.
  static Attachment healthy() {
    return {
        .config = Json::parse(R"({"cniVersion": "1.1.0", "name": "healthy", "type": "firewall"})"),
        .netns = "",
        .container_id = "",
        .if_name = "",
        .cni_path = path_of(kNew)};
  }
  static void move() {
    tool({"mkdir", "-p", kNew});
    tool({"mv", std::string(kOld) + "/fake", kNew});
  }
  static void uninstall() { tool({"rm", std::string(kOld) + "/fake"}); }
  /// The verbs that the program was called with in a folder.
  static std::vector<std::string> commands_in(const std::string& folder) {
    std::vector<std::string> commands;
    std::istringstream lines(read_file(folder + "/fake.log"));
    for (std::string line; std::getline(lines, line);) {
      commands.push_back(Json::parse(line)["env"].value("CNI_COMMAND", ""));
    }
    return commands;
  }
  static void expect_warned_success(const Output& output, const std::string& text) {
    EXPECT_EQ(output.status, 0) << output.out;
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr(text));
  }
  /// Of all that the attachment had, but for what the program itself made.
  static void expect_nothing_left() {
    EXPECT_THAT(link_names(), ElementsAre("br0"));
    EXPECT_THAT(reservations("net"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
  Recorder plugin_{"fake", kOld};
};

TEST_P(ForeignGone, WhereItHasMovedItIsFoundByDel) {
  const Attachment job = this->job();
  must_add(job);
  move();
  expect_silent_success(in(kNew, job).del());
  EXPECT_THAT(commands_in(kNew), ElementsAre("DEL"));
  expect_nothing_left();
}

TEST_P(ForeignGone, WhereItHasMovedItIsFoundByGcOfAnotherNetwork) {
  const Attachment job = this->job();
  must_add(job);
  end(job);
  move();
  expect_silent_success(healthy().gc(Json::array()));
  EXPECT_THAT(commands_in(kNew), ElementsAre("DEL"));
  expect_nothing_left();
}

TEST_P(ForeignGone, TheFileOfItsAddServesWhereCniPathHasNone) {
  const Attachment job = this->job();
  must_add(job);
  expect_silent_success(in("/run/nowhere", job).del());
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "DEL"));
  expect_nothing_left();
}

TEST_P(ForeignGone, UninstalledItKeepsDelOnlyWhileTheNamespaceIsThere) {
  const Attachment job = this->job();
  must_add(job);
  uninstall();
  for (int i = 0; i < 2; ++i) {
    const Json error = expect_error(job.del(), 999);
    EXPECT_THAT(error["msg"], AllOf(HasSubstr("fake"), HasSubstr("net/c1/eth0")));
    EXPECT_THAT(error["details"], HasSubstr("install fake again, or end the container"));
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
    EXPECT_THAT(link_names(), ElementsAre("br0"));
    EXPECT_THAT(reservations("net"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), SizeIs(1));
  }
  end(job);
  expect_warned_success(job.del(), "plugin fake has a part in net/c1/eth0");
  expect_nothing_left();
}

TEST_P(ForeignGone, UninstalledItKeepsNoDelOfWhatNobodyKnowsOf) {
  const Attachment job = this->job();
  uninstall();
  expect_warned_success(job.del(), "failed to find plugin \"fake\"");
  expect_error(job.add());
  expect_warned_success(job.del(), "failed to find plugin \"fake\"");
  if (GetParam() == As::member) return;
  // What was made before /run was lost its runtime knows.
  const Json result = Json::parse(R"({"cniVersion": "1.1.0", "interfaces": [{"name": "eth0"}]})");
  EXPECT_THAT(expect_error(job.del(result), 999)["msg"], HasSubstr("fake"));
}

TEST_P(ForeignGone, UninstalledItKeepsNoDelWithoutNetns) {
  const Attachment job = this->job();
  must_add(job);
  uninstall();
  expect_warned_success(without_netns(job).del(), "plugin fake has a part in net/c1/eth0");
  expect_nothing_left();
  expect_warned_success(without_netns(job).del(), "failed to find plugin \"fake\"");
}

TEST_P(ForeignGone, InstalledAgainItIsAskedAndAllIsForgotten) {
  const Attachment job = this->job();
  must_add(job);
  move();
  expect_error(job.del(), 999);
  expect_silent_success(in(kNew, job).del());
  EXPECT_THAT(commands_in(kNew), ElementsAre("DEL"));
  expect_nothing_left();
}

TEST_P(ForeignGone, UninstalledItKeepsNoGc) {
  Attachment job = this->job();
  must_add(job);
  uninstall();
  // As the list is today.
  if (GetParam() == As::ipam) job.config.erase("ipam");
  if (GetParam() == As::member) job.config["plugins"].erase(1);
  expect_warned_success(collect(job), "plugin fake has a part in net/c1/eth0");
  expect_nothing_left();
  expect_silent_success(collect(job));
}

TEST_P(ForeignGone, UninstalledItKeepsNoGcOfAnotherNetwork) {
  const Attachment job = this->job();
  must_add(job);
  uninstall();
  end(job);
  expect_warned_success(healthy().gc(Json::array()), "plugin fake has a part in net/c1/eth0");
  expect_nothing_left();
}

TEST_P(ForeignGone, ItsFailureIsNoErrorOfAnotherNetworksGc) {
  const Attachment job = this->job();
  must_add(job);
  plugin_.answer("DEL", R"({"code": 112, "msg": "cannot"})", 1);
  end(job);
  expect_warned_success(healthy().gc(Json::array()), "net/c1/eth0: fake: cannot");
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_THAT(files_in(kJournals), SizeIs(1));
}

TEST_P(ForeignGone, ItsFailureIsToldOnceByEachVerb) {
  const Attachment job = this->job();
  must_add(job);
  plugin_.answer("DEL", R"({"code": 112, "msg": "cannot"})", 1);
  const Json error = expect_error(job.del(), 112);
  EXPECT_THAT(error["msg"], HasSubstr("fake: cannot"));
  EXPECT_THAT(error.value("details", ""), Not(HasSubstr("cannot")));
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "DEL"));
  end(job);
  expect_error(collect(job), 112);
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "DEL", "DEL", "GC"));
}

TEST_P(ForeignGone, OfAnEarlierLifeItIsAskedOnceByEachAdd) {
  const Attachment job = this->job();
  must_add(job);
  plugin_.answer("DEL", R"({"code": 112, "msg": "cannot"})", 1);
  end(job);
  containers_.clear();
  attachment(job.config);
  must_add(job);
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "DEL", "ADD"));
}

TEST_P(ForeignGone, ThatRefusedTheVersionHasMadeNothing) {
  for (const char* verb : {"ADD", "DEL"}) plugin_.answer(verb, kRefusal, 1);
  const Attachment job = this->job();
  const Snapshot before = snapshot();
  EXPECT_THAT(expect_error(job.add(), 1).value("details", ""), Not(HasSubstr("roll-back")));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  expect_warned_success(job.del(), "fake refuses DEL of net/c1/eth0: incompatible CNI versions");
  EXPECT_EQ(left_on_host(without_link(before, "br0")), "");
}

TEST_P(ForeignGone, ThatRefusesTheVersionAfterItsAddHasMadeSomething) {
  const Attachment job = this->job();
  must_add(job);
  plugin_.answer("DEL", kRefusal, 1);
  expect_error(job.del(), 1);
  EXPECT_THAT(files_in(kJournals), SizeIs(1));
}

/// What somebody did to the file, so that the kernel executes it no more, and what the error says.
struct Spoiled {
  const char* name;
  void (*spoil)(const std::string& file);
  const char* why;
  const char* mend;
};
constexpr Spoiled kSpoiled[] = {
    {"Mode",
     [](const std::string& file) {
       tool({"chmod", "0644", file});
     },
     "/run/q/fake is not executable", "chmod +x /run/q/fake, or end the container"},
    {"Format",
     [](const std::string& file) {
       tool({"truncate", "-s", "0", file});
     },
     "Exec format error", "install fake again in place of /run/q/fake, or end the container"},
    {"Interpreter",
     [](const std::string& file) { install_script(file, "#!/no/such/interpreter\n"); },
     "No such file or directory", "install fake again in place of /run/q/fake"},
};

class ForeignSpoiled : public ForeignGone {
 protected:
  static std::string file() { return std::string(kOld) + "/fake"; }
  static std::string good_file() { return std::string(kNew) + "/fake"; }
  void spoil(const Spoiled& how) {
    tool({"mkdir", "-p", kNew});
    tool({"cp", file(), good_file()});
    how.spoil(file());
  }
  static void mend() { tool({"cp", "--preserve=mode", good_file(), file()}); }
};

TEST_P(ForeignSpoiled, ItKeepsDelOnlyWhileTheNamespaceIsThere) {
  for (const Spoiled& how : kSpoiled) {
    SCOPED_TRACE(how.name);
    const Attachment job = this->job(how.name);
    must_add(job);
    spoil(how);
    const Json error = expect_error(job.del(), 999);
    EXPECT_THAT(error["msg"], AllOf(HasSubstr("plugin fake has a part in"), HasSubstr(how.why)));
    EXPECT_THAT(error["details"], HasSubstr(how.mend));
    EXPECT_THAT(reservations("net"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), SizeIs(1));
    end(job);
    expect_warned_success(job.del(), how.why);
    expect_nothing_left();
    mend();
  }
}

TEST_P(ForeignSpoiled, ItIsAskedWhenItIsMended) {
  for (const Spoiled& how : kSpoiled) {
    SCOPED_TRACE(how.name);
    const Attachment job = this->job(how.name);
    must_add(job);
    spoil(how);
    expect_error(job.del(), 999);
    mend();
    const std::size_t before = plugin_.commands().size();
    expect_silent_success(job.del());
    EXPECT_EQ(plugin_.commands().size(), before + 1);
    expect_nothing_left();
  }
}

TEST_P(ForeignSpoiled, ItKeepsNoDelWithoutNetnsAndNoGc) {
  for (const Spoiled& how : kSpoiled) {
    SCOPED_TRACE(how.name);
    Attachment job = this->job(how.name);
    must_add(job);
    spoil(how);
    expect_warned_success(without_netns(job).del(), how.why);
    expect_nothing_left();
    mend();
    must_add(job);
    how.spoil(file());
    if (GetParam() == As::ipam) job.config.erase("ipam");
    if (GetParam() == As::member) job.config["plugins"].erase(1);
    expect_warned_success(collect(job), how.why);
    expect_nothing_left();
    mend();
  }
}

TEST_P(ForeignSpoiled, AnAddThatCouldNotExecuteItLeavesNothingToDel) {
  for (const Spoiled& how : kSpoiled) {
    SCOPED_TRACE(how.name);
    spoil(how);
    const Attachment job = this->job(how.name);
    const Json error = expect_error(job.add());
    EXPECT_THAT(error.value("details", ""), Not(HasSubstr("roll-back")));
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(reservations("net"), IsEmpty());
    mend();
  }
}

constexpr auto kAsName = [](const auto& param) {
  return param.param == As::ipam ? "Ipam" : "Member";
};
INSTANTIATE_TEST_SUITE_P(, ForeignSpoiled, ::testing::Values(As::ipam, As::member), kAsName);
INSTANTIATE_TEST_SUITE_P(, ForeignGone, ::testing::Values(As::ipam, As::member), kAsName);

class AddThatFailed : public HostTest {};

TEST_F(AddThatFailed, IsNoAttachmentToCheck) {
  Recorder plugin("fake");
  Json config = Json::parse(R"({"cniVersion": "1.0.0", "name": "net", "type": "unicni",
                                "plugins": [{"type": "fake"}]})");
  Attachment job = attachment(config);
  job.cni_path = bin_dir() + ':' + plugin.folder();
  for (const char* verb : {"ADD", "DEL"}) plugin.answer(verb, R"({"code": 112, "msg": "no"})", 1);
  expect_error(job.add(), 112);
  EXPECT_THAT(expect_error(job.check(Json::object()))["msg"],
              HasSubstr("ADD of net/c1/eth0 didn't succeed: it ended at fake"));
  plugin.answer("DEL", "");
  expect_silent_success(job.del());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::foreign_gone_test
