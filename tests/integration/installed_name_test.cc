// The executable under other names and in other places, as installers put it there.
#include <filesystem>
#include <fstream>

#include "integration/host_test.h"
#include "support/tracer.h"

namespace unicni::test::installed_name_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kFolder = "/run/opt/cni/bin";  // of the test's host

class InstalledName : public HostTest {
 protected:
  InstalledName() { fs::create_directories(kFolder); }

  static std::string place(const std::string& name) { return kFolder + ('/' + name); }
  static void link(const std::string& type, const std::string& name) {
    fs::create_symlink(bin_dir() + '/' + type, place(name));
  }
  /// `cp -L`
  static void copy(const std::string& type, const std::string& name) {
    fs::copy_file(fs::canonical(bin_dir() + '/' + type), place(name));
  }
  static void copy_modules() { fs::copy(stage() + "/lib/unicni/modules", place("unicni-modules")); }
  /// Called under a name there, with CNI_PATH there.
  Attachment job(const Json& config, const std::string& type, const std::string& name = "c1") {
    Attachment job = attachment(config, name);
    job.config["type"] = type;
    job.folder = job.cni_path = kFolder;
    return job;
  }
  /// ADD, CHECK and DEL, after which nothing but the bridge is left.
  void expect_life(const Attachment& job) {
    const Snapshot before = snapshot();
    const Json result = must_add(job);
    EXPECT_EQ(result["ips"].size(), 1U) << result;
    EXPECT_THAT(reservations("mynet"), ElementsAre("10.22.0.2"));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_EQ(left_on_host(before), "");
  }
};

TEST_F(InstalledName, LinksWithAPrefix) {
  link("bridge", "buildkit-cni-bridge");
  link("host-local", "buildkit-cni-host-local");
  Attachment renamed = job(mynet_1_0(), "buildkit-cni-bridge");
  renamed.config["ipam"]["type"] = "buildkit-cni-host-local";
  expect_life(renamed);
}

TEST_F(InstalledName, ARenamedIpamIsOurModuleInTheSameProcess) {
  link("bridge", "cnv-bridge");
  copy("host-local", "cnv-host-local");
  Attachment renamed = job(mynet_1_0(), "cnv-bridge");
  renamed.config["ipam"]["type"] = "cnv-host-local";
  const Life life = watch_births(renamed.spawn("ADD", renamed.config));
  EXPECT_EQ(life.output.status, 0) << life.output.str();
  EXPECT_THAT(life.births, IsEmpty()) << "a copy of ourselves isn't executed";
  EXPECT_THAT(reservations("mynet"), ElementsAre("10.22.0.2"));
  expect_silent_success(renamed.del());
}

TEST_F(InstalledName, APrefixedListInOneProcess) {
  for (const char* type : {"bridge", "tuning", "firewall"}) link(type, std::string("x-") + type);
  Json config = {{"cniVersion", "1.0.0"}, {"name", "mynet"}, {"type", "unicni"}};
  config["plugins"] = {mynet(), {{"type", "x-tuning"}, {"mtu", 1400}}, {{"type", "x-firewall"}}};
  config["plugins"][0]["type"] = "x-bridge";
  Attachment list = attachment(config);
  list.cni_path = kFolder;
  const Snapshot before = snapshot();
  const Json result = must_add(list);
  EXPECT_EQ(find_link("eth0", netns(list))->at("mtu"), 1400);
  expect_silent_success(list.check(result));
  expect_silent_success(list.del(result));
  EXPECT_EQ(left_on_host(before), "");
}

/// Behind another maker's main plugin, whose DEL takes nothing of ours along.
TEST_F(InstalledName, AMemberThatIsCalledOtherwiseByNowIsTheOneOfAdd) {
  int count = 0;
  for (const auto& [before, after] :
       {std::pair("cnv-tuning", "tuning"), std::pair("tuning", "cnv-tuning"),
        std::pair("cnv-tuning", "x-tuning")}) {
    for (const std::string verb : {"DEL", "GC"}) {
      SCOPED_TRACE(std::string(before) + " to " + after + ", " + verb);
      fs::remove_all(kFolder);
      fs::create_directories(kFolder);
      link("tuning", before);
      Json config = {{"cniVersion", "1.1.0"}, {"name", "mynet"}, {"mtu", 1400}};
      config["prevResult"] = {{"cniVersion", "1.1.0"}, {"ips", Json::array()}};
      Attachment tuned = job(config, before, "c" + std::to_string(++count));
      container_of(tuned).run({"ip", "link", "add", "eth0", "type", "veth"});
      must_add(tuned);
      EXPECT_EQ(find_link("eth0", netns(tuned))->at("mtu"), 1400);
      fs::remove(place(before));
      link("tuning", after);
      tuned.config["type"] = after;
      const Output removed = verb == "GC" ? tuned.gc(Json::array()) : tuned.del();
      EXPECT_EQ(removed.status, 0) << removed.str();
      EXPECT_EQ(find_link("eth0", netns(tuned))->at("mtu"), 1500);
      EXPECT_THAT(files_in(kJournals), IsEmpty());
    }
  }
}

TEST_F(InstalledName, DelNeedsNoLinkThatAddHad) {
  link("bridge", "buildkit-cni-bridge");
  link("host-local", "buildkit-cni-host-local");
  Attachment renamed = job(mynet_1_0(), "buildkit-cni-bridge");
  renamed.config["ipam"]["type"] = "buildkit-cni-host-local";
  for (const bool is_edited : {false, true}) {
    SCOPED_TRACE(is_edited);
    Attachment later = renamed;
    if (is_edited) later.config = mynet_1_0();
    later.folder = later.cni_path = bin_dir();
    if (!is_edited) later.folder = kFolder;
    const Snapshot before = snapshot();
    const Json result = must_add(renamed);
    EXPECT_EQ(later.del(result).status, 0);
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_EQ(left_on_host(before), "");
  }
}

/// An upgrade of the distribution's plugins puts them where ours were.
TEST_F(InstalledName, WhatOurModulesMadeGoesThoughAProgramHasTheirNamesByNow) {
  for (const char* type : {"bridge", "host-local", "portmap", "tuning"}) link(type, type);
  Json config = {{"cniVersion", "1.0.0"}, {"name", "mynet"}, {"type", "unicni"}};
  config["plugins"] = {mynet(),
                       {{"type", "tuning"}, {"mtu", 1400}},
                       {{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}}};
  config["runtimeConfig"]["portMappings"] = {
      {{"hostPort", 8080}, {"containerPort", 80}, {"protocol", "tcp"}}};
  for (const bool is_whole : {true, false}) {
    SCOPED_TRACE(is_whole);
    Attachment list = attachment(config, is_whole ? "c1" : "c2");
    list.cni_path = kFolder;
    const Json result = must_add(list);
    EXPECT_THAT(nft_elements("port4_any"), ::testing::SizeIs(1));
    for (const char* type : {"bridge", "host-local", "portmap", "tuning"}) {
      if (!is_whole && type != std::string("portmap")) continue;
      fs::remove(place(type));
      fs::create_symlink(std::string(kReferenceDir) + '/' + type, place(type));
    }
    EXPECT_EQ(list.del(result).status, 0);
    EXPECT_THAT(nft_elements("port4_any"), IsEmpty());
    EXPECT_THAT(nft_elements("claim4"), IsEmpty());
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(link_names(), ElementsAre("cni0"));
    for (const char* type : {"bridge", "host-local", "portmap", "tuning"}) {
      fs::remove(place(type));
      link(type, type);
    }
  }
}

TEST_F(InstalledName, DelNeedsNoLinkThatADelegateHad) {
  link("flannel", "flannel");
  tool({"mkdir", "-p", "/run/flannel"});
  write_file("/run/flannel/subnet.env",
             "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1450\n"
             "FLANNEL_IPMASQ=true\n");
  for (const char* gone : {"cnv-bridge", "cnv-host-local"}) {
    SCOPED_TRACE(gone);
    link("bridge", "cnv-bridge");
    link("host-local", "cnv-host-local");
    const Attachment job = this->job(Json::parse(R"({"cniVersion": "1.0.0", "name": "cbr0",
                                  "ipam": {"type": "cnv-host-local"},
                                  "delegate": {"type": "cnv-bridge", "bridge": "cbr0"}})"),
                                     "flannel", std::string("without-") + gone);
    const Json result = must_add(job);
    EXPECT_THAT(reservations("cbr0"), ::testing::SizeIs(1));
    fs::remove(place(gone));
    const Output deleted = job.del(result);
    EXPECT_EQ(deleted.status, 0) << deleted.str();
    EXPECT_THAT(reservations("cbr0"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    for (const char* name : {"cnv-bridge", "cnv-host-local"}) fs::remove(place(name));
  }
}

TEST_F(InstalledName, ARenamedLoopbackMayLackAName) {
  link("loopback", "buildkit-cni-loopback");
  Attachment lo = job({{"cniVersion", "0.2.0"}}, "buildkit-cni-loopback");
  lo.if_name = "lo";
  must_add(lo);
}

TEST_F(InstalledName, CopiesWithTheModulesBesideThem) {
  for (const char* type : {"bridge", "host-local"}) copy(type, type);
  copy_modules();
  expect_life(job(mynet_1_0(), "bridge"));
}

TEST_F(InstalledName, AHardLinkOfACopy) {
  copy("bridge", "x");
  fs::create_hard_link(place("x"), place("bridge"));
  copy_modules();
  expect_life(job(mynet_1_0(), "bridge"));
  EXPECT_TRUE(run({.argv = {place("bridge")}, .env = {"CNI_COMMAND=VERSION"}}).ok());
}

TEST_F(InstalledName, CopiesAloneUseWhereTheBuildWasMeantToBeOrSayHowToInstall) {
  for (const char* type : {"bridge", "host-local", "nosuch"}) copy("bridge", type);
  const std::vector<std::string> version = {"CNI_COMMAND=VERSION"};
  const Json absent = expect_error(run({.argv = {place("nosuch")}, .env = version}), 7);
  const std::string told = absent["msg"];
  EXPECT_THAT(told, HasSubstr("absent from /run/opt/lib/unicni/modules, " +
                              place("unicni-modules") + ", /"));
  EXPECT_THAT(absent["details"].get<std::string>(), HasSubstr("cmake --install"));
  Attachment job = this->job(mynet_1_0(), "bridge");
  // tools/test configures with the stage's prefix; a stage made by hand may have another one.
  if (told.find(", " + stage() + "/lib/unicni/modules") != std::string::npos) {
    expect_life(job);
  } else {
    EXPECT_EQ(expect_error(job.add(), 7)["msg"],
              expect_error(run({.argv = {place("bridge")}, .env = version}), 7)["msg"]);
  }
}

TEST_F(InstalledName, AForeignProgramWinsUnderARenamedType) {
  link("bridge", "bridge");
  std::ofstream(place("cnv-host-local"))
      << "#!/bin/sh\ncat >/dev/null\n"
         R"(echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24"}]}')";
  fs::permissions(place("cnv-host-local"), fs::perms(0755));
  Attachment job = this->job(mynet_1_0(), "bridge");
  job.config["ipam"] = {{"type", "cnv-host-local"}};
  EXPECT_EQ(must_add(job)["ips"][0]["address"], "10.9.9.9/24");
}

TEST_F(InstalledName, AMissingTypeSuggestsTheNearest) {
  Attachment job = attachment(mynet_1_0());
  job.config["ipam"]["type"] = "host-locla";
  EXPECT_THAT(expect_error(job.add(), 7)["msg"].get<std::string>(),
              AllOf(HasSubstr("failed to find plugin \"host-locla\""),
                    HasSubstr("did you mean \"host-local\"?")));
}

}  // namespace
}  // namespace unicni::test::installed_name_test
