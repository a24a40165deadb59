// host-device with a real network card: what the kernel gives back when a namespace ends comes home
// as well. Cards are given back to the initial namespace, so most of this is on the guest itself
// instead of on a host of the test's own.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "integration/host_test.h"

namespace unicni::test::device_home_test {
namespace {

using ::testing::IsEmpty;

constexpr const char* kMac = "52:54:00:75:6e:69";  // tests/second-kernel/vm
constexpr const char* kName = "nic0";

class DeviceHome : public HostTest {
 protected:
  void SetUp() override {
    tool({"modprobe", "virtio_net"});
    const std::string name = await_card(initial_);
    ASSERT_NE(name, "") << "the guest has no card of MAC " << kMac;
    tool({"ip", "link", "set", name, "down"}, initial_);
    if (name != kName) tool({"ip", "link", "set", name, "name", kName}, initial_);
    tool({"ip", "link", "set", kName, "address", kMac, "alias", "uplink", "mtu", "1400", "promisc",
          "on", "up"},
         initial_);
    pci_ = pci_address();
    before_ = card(initial_);
  }
  void TearDown() override { ::close(initial_); }

  /// Its name in a namespace; "": it isn't there.
  static std::string current(int netns) {
    for (const Json& link : tool_json({"ip", "-d", "-j", "link"}, netns)) {
      if (link.value("permaddr", link.value("address", "")) == kMac) return link["ifname"];
    }
    return "";
  }
  /// A worker of the kernel brings it back some time after its namespace has ended.
  static std::string await_card(int netns) {
    for (int i = 0; i < 300; ++i) {
      if (const std::string name = current(netns); !name.empty()) return name;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return "";
  }
  /// Everything that must come home with it.
  static Json card(int netns) {
    const auto link = find_link(current(netns), netns);
    if (!link) return "not there";
    Json picked;
    for (const char* key : {"ifname", "address", "mtu", "ifalias", "parentdev", "parentbus"}) {
      picked[key] = link->contains(key) ? link->at(key) : Json("");
    }
    for (const char* flag : {"UP", "PROMISC"}) {
      picked[flag] = std::ranges::count(link->at("flags"), Json(flag));
    }
    return picked;
  }
  [[nodiscard]] std::string pci_address() const {
    const std::string virtio = find_link(kName, initial_)->value("parentdev", "");
    const std::string path = tool({"readlink", "-f", "/sys/bus/virtio/devices/" + virtio}).out;
    const std::string folder = path.substr(0, path.rfind('/'));
    return folder.substr(folder.rfind('/') + 1);
  }
  Json config(const std::string& changes = "{}") const {
    Json config = Json::parse(R"({
      "cniVersion": "1.1.0", "name": "net", "type": "host-device", "device": "nic0",
      "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}
    })");
    config.merge_patch(Json::parse(changes));
    return config;
  }
  /// On the guest itself.
  Output call(const std::string& verb, const Attachment& job, Json request = nullptr) const {
    Spawn spawn = job.spawn(verb, request.is_null() ? job.config : request);
    spawn.netns = initial_;
    return run(spawn);
  }
  Json must_add_there(const Attachment& job) const {
    const Output output = call("ADD", job);
    EXPECT_TRUE(output.ok()) << output.str();
    EXPECT_EQ(current(initial_), "");
    return output.ok() ? output.json() : Json();
  }
  void disguise(const Attachment& job) {
    container_of(job).run({"ip", "link", "set", "eth0", "down"});
    container_of(job).run({"ip", "link", "set", "eth0", "name", "mine"});
    container_of(job).run({"ip", "link", "set", "mine", "address", "02:00:00:00:00:99", "mtu",
                           "1300", "alias", "", "promisc", "off"});
  }
  void expect_home() const {
    EXPECT_EQ(card(initial_), before_);
    EXPECT_THAT(reservations("net"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }

  const int initial_ = ::open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
  std::string pci_;
  Json before_;
};

TEST_F(DeviceHome, PciAddressNamesIt) {
  Json request = config(R"({"device": null})");
  request["pciBusID"] = pci_;
  const Attachment job = attachment(request);
  const Json result = must_add_there(job);
  EXPECT_EQ(result["interfaces"], Json::array({{{"mac", kMac},
                                                {"mtu", 1400},
                                                {"name", "eth0"},
                                                {"pciID", pci_},
                                                {"sandbox", job.netns}}}));
  EXPECT_EQ(find_link("eth0", container_of(job).fd())->value("ifalias", ""), kName);
  Json check = request;
  check["prevResult"] = result;
  expect_silent_success(call("CHECK", job, check));
  disguise(job);
  expect_silent_success(call("DEL", job));
  expect_home();
}

TEST_F(DeviceHome, DeviceIdAndKernelpathNameIt) {
  const std::string folder = tool({"readlink", "-f", "/sys/bus/pci/devices/" + pci_}).out;
  Json by_id = config(R"({"device": null})");
  by_id["runtimeConfig"] = {{"deviceID", pci_}};
  Json by_path = config(R"({"device": null})");
  by_path["kernelpath"] =
      folder.substr(0, folder.find('\n')) + '/' + before_.value("parentdev", "");
  for (const Json& request : {by_id, by_path}) {
    SCOPED_TRACE(request);
    const Attachment job = attachment(request, request.contains("kernelpath") ? "c2" : "c1");
    must_add_there(job);
    expect_silent_success(call("DEL", job));
    expect_home();
  }
}

TEST_F(DeviceHome, FromANamespaceThatWasDeletedByForce) {
  for (const bool clash : {false, true}) {
    SCOPED_TRACE(clash);
    const Attachment job = attachment(config(), clash ? "c2" : "c1");
    const Json result = must_add_there(job);
    disguise(job);
    if (clash) tool({"ip", "link", "add", "mine", "type", "dummy"}, initial_);
    container_of(job).remove();
    // At once, while the kernel is still taking the namespace apart.
    Json request = job.config;
    request["prevResult"] = result;
    expect_silent_success(call("DEL", job, request));
    expect_home();
    if (clash) tool({"ip", "link", "del", "mine"}, initial_);
  }
}

TEST_F(DeviceHome, FromANamespaceThatLostItsPath) {
  const Attachment job = attachment(config());
  must_add_there(job);
  const Running process(
      {.argv = {"sleep", "60"}, .env = {"PATH=/bin"}, .netns = container_of(job).fd()});
  disguise(job);
  container_of(job).remove();
  expect_silent_success(call("DEL", job));
  expect_home();
}

TEST_F(DeviceHome, GcAndTheNextAddFindItGivenBack) {
  for (const char* verb : {"GC", "ADD"}) {
    SCOPED_TRACE(verb);
    const Attachment first = attachment(config(), std::string("c-") + verb);
    must_add_there(first);
    container_of(first).remove();
    EXPECT_EQ(await_card(initial_), "eth0");
    if (std::string(verb) == "GC") {
      Json request = first.config;
      request["cni.dev/valid-attachments"] = Json::array();
      expect_silent_success(call("GC", first, request));
    } else {
      // The same attachment in a new namespace.
      Attachment again = attachment(config(), "again");
      again.container_id = first.container_id;
      must_add_there(again);
      expect_silent_success(call("DEL", again));
    }
    expect_home();
  }
}

// No journal knows of it: the alias that the reference left is what is known.
TEST_F(DeviceHome, WhoeverMadeTheAttachment) {
  Attachment job = attachment(with_version(config(), "1.0.0"));
  Attachment references = job;
  references.folder = references.cni_path = kReferenceDir;
  must_add_there(references);
  container_of(job).remove();
  EXPECT_EQ(await_card(initial_), "eth0");
  expect_silent_success(call("DEL", job));
  EXPECT_EQ(current(initial_), kName);
  EXPECT_EQ(card(initial_)["ifalias"], "");

  // The same, found by the next ADD.
  references.netns = attachment(config(), "c2").netns;
  must_add_there(references);
  container_of(references).remove();
  EXPECT_EQ(await_card(initial_), "eth0");
  job = attachment(config(), "c3");
  must_add_there(job);
  expect_silent_success(call("DEL", job));
  EXPECT_EQ(current(initial_), kName);
}

// A host that is a container itself: the kernel gives the card back to the initial namespace.
TEST_F(DeviceHome, AcrossTheInitialNamespace) {
  tool({"ip", "link", "set", kName, "netns", std::to_string(::getpid())}, initial_);
  tool({"ip", "link", "set", kName, "up"});
  const Json before = card(sandbox_.netns());
  const Attachment job = attachment(config());
  must_add(job);
  disguise(job);
  container_of(job).remove();
  expect_silent_success(job.del());
  EXPECT_EQ(card(sandbox_.netns()), before);
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::device_home_test
