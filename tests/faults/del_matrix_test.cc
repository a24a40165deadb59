// DEL with whatever is left: every combination of what it may be called with and of what may be
// lost.
#include <net/if.h>
#include <sys/mount.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "integration/host_test.h"

namespace unicni::test::del_matrix_test {
namespace {

namespace fs = std::filesystem;
using ::testing::Combine;
using ::testing::IsEmpty;
using ::testing::Values;

enum class Maker { ours, reference };
enum class Module { present, missing };
enum class What { bridge, list };
enum class Netns { empty, missing, no_namespace, somebody_elses };
enum class Journal { whole, none, truncated, of_another_boot };

constexpr std::array kNetns = {Netns::empty, Netns::missing, Netns::no_namespace,
                               Netns::somebody_elses};
constexpr std::array kJournals = {Journal::whole, Journal::none, Journal::truncated,
                                  Journal::of_another_boot};

const char* name_of(Netns netns) {
  constexpr const char* kNames[] = {"netns empty", "netns missing", "netns is a file",
                                    "netns of somebody else"};
  return kNames[static_cast<int>(netns)];
}

const char* name_of(Journal journal) {
  constexpr const char* kNames[] = {"journal", "no journal", "journal truncated",
                                    "journal of another boot"};
  return kNames[static_cast<int>(journal)];
}

constexpr const char* kStage = "/run/stage";
constexpr const char* kEntry = "/run/unicni/attachments/net:c1:eth0";

Json bridge() {
  return Json::parse(R"({
    "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0", "isGateway": true,
    "ipMasq": true,
    "ipam": {"type": "host-local", "subnet": "10.1.2.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
  })");
}

/// Every chained module that changes something on the host or in the container, in one process.
Json list(int host_port) {
  Json made = Json::parse(R"({
    "cniVersion": "1.0.0", "name": "net", "type": "unicni", "plugins": [
      {"type": "tuning", "mtu": 1400, "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}},
      {"type": "portmap"},
      {"type": "firewall", "ingressPolicy": "isolated"},
      {"type": "sbr"},
      {"type": "bandwidth", "ingressRate": 1000000, "ingressBurst": 800000,
                            "egressRate": 1000000, "egressBurst": 800000}]
  })");
  made["plugins"].insert(made["plugins"].begin(), bridge());
  Json& portmap = made["plugins"][2];
  portmap["conditionsV4"] = {"ip", "saddr", "!=", "192.0.2.1"};
  for (const char* protocol : {"tcp", "udp"}) {
    portmap["runtimeConfig"]["portMappings"].push_back(
        {{"hostPort", host_port}, {"containerPort", 80}, {"protocol", protocol}});
  }
  return made;
}

/// The kernel takes a namespace and what is in it down in its own time.
bool vanishes(const std::string& link) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (::if_nametoindex(link.c_str()) != 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// While it lives the host has another boot id.
class OtherBoot {
 public:
  OtherBoot() {
    write_file("/run/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n");
    EXPECT_EQ(::mount("/run/boot_id", kPath, nullptr, MS_BIND, nullptr), 0);
  }
  OtherBoot(const OtherBoot&) = delete;
  OtherBoot& operator=(const OtherBoot&) = delete;
  ~OtherBoot() { ::umount2(kPath, MNT_DETACH); }

 private:
  static constexpr const char* kPath = "/proc/sys/kernel/random/boot_id";
};

// One test per maker, module and configuration, 32 combinations in each, on one host.
class DelMatrix : public HostTest,
                  public ::testing::WithParamInterface<std::tuple<Maker, Module, What>> {
 protected:
  void SetUp() override {
    maker_ = std::get<0>(GetParam());
    // A private copy of the installation, to take the module out of it.
    fs::create_directories(std::string(kStage) + "/lib");
    fs::create_directories(std::string(kStage) + "/libexec");
    fs::copy(stage() + "/lib/unicni", std::string(kStage) + "/lib/unicni",
             fs::copy_options::recursive);
    fs::copy(bin_dir(), std::string(kStage) + "/libexec/cni",
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);

    neighbour_ = made_by(maker_, attachment(network(9001), "neighbour"));
    neighbours_result_ = must_add(neighbour_);
    neighbour_.folder = neighbour_.cni_path = bin_dir();
    make_foreign();
    // What attachments leave for ever, such as the tables of iptables, is there from now on.
    for (const Maker maker : {Maker::ours, maker_}) {
      const Attachment first = made_by(maker, attachment(network(9002), "first"));
      expect_silent_success(first.del(must_add(first)));
      containers_.pop_back();
    }
    if (std::get<1>(GetParam()) == Module::missing) {
      fs::remove(std::string(kStage) + "/lib/unicni/modules/bridge.so");
    }
    before_ = snapshot();
    foreign_before_ = kernel_snapshot(foreign_netns_);
    neighbour_before_ = kernel_snapshot(container_of(neighbour_).fd());
  }

  static Json network(int host_port) {
    return std::get<2>(GetParam()) == What::list ? list(host_port) : bridge();
  }
  static Attachment made_by(Maker maker, Attachment attachment) {
    attachment.folder = attachment.cni_path =
        maker == Maker::reference ? std::string(kReferenceDir) : bin_dir();
    return attachment;
  }
  /// A container that no CNI plugin made, with an eth0 on the same bridge and in the same subnet.
  void make_foreign() {
    const Container& foreign = container("foreign");
    foreign_netns_ = foreign.fd();
    tool({"ip", "link", "add", "veth0000beef", "type", "veth", "peer", "name", "eth0", "netns",
          "foreign"});
    tool({"ip", "link", "set", "veth0000beef", "master", "br0", "up"});
    foreign.run({"ip", "addr", "add", "10.1.2.200/24", "dev", "eth0"});
    foreign.run({"ip", "link", "set", "eth0", "up"});
  }

  /// One attachment on its way to its end.
  struct Case {
    Netns netns;
    bool with_prev_result;
    Journal journal;
    [[nodiscard]] std::string str() const {
      return std::string(name_of(netns)) + ", " + (with_prev_result ? "" : "no ") + "prevResult, " +
             name_of(journal);
    }
  };
  /// Makes it, and its journal as the case wants it.
  Json add(const Attachment& job, Journal journal);
  void try_all();
  void try_one(const Case& each);
  /// CNI_NETNS of the case; takes the namespace away where it is to be gone.
  std::string netns_for(const Case& each, const Attachment& job);
  void expect_others_untouched();

  Maker maker_ = Maker::ours;
  Attachment neighbour_;
  Json neighbours_result_;
  int foreign_netns_ = -1;
  Snapshot before_;
  Snapshot foreign_before_;
  Snapshot neighbour_before_;
};

/// The journal of the reference's attachment is one that an earlier attachment of ours left.
Json DelMatrix::add(const Attachment& job, Journal journal) {
  std::string text;
  Json result;
  {
    std::optional<OtherBoot> boot;
    if (journal == Journal::of_another_boot) boot.emplace();
    result = must_add(made_by(Maker::ours, job));
    text = read_file(kEntry);
    if (maker_ == Maker::reference) expect_silent_success(made_by(Maker::ours, job).del());
  }
  if (maker_ == Maker::reference) result = must_add(made_by(Maker::reference, job));
  fs::remove(kEntry);
  if (journal == Journal::truncated) text.resize(text.size() * 2 / 3);
  if (journal != Journal::none) write_file(kEntry, text, 0600);
  return result;
}

std::string DelMatrix::netns_for(const Case& each, const Attachment& job) {
  if (each.netns == Netns::empty) return {};
  container_of(job).remove();
  if (each.netns == Netns::no_namespace) write_file(job.netns, "");
  return each.netns == Netns::somebody_elses ? "/run/netns/foreign" : job.netns;
}

void DelMatrix::expect_others_untouched() {
  EXPECT_EQ(difference(before_, snapshot()), "");
  EXPECT_EQ(difference(foreign_before_, kernel_snapshot(foreign_netns_)), "");
  EXPECT_EQ(difference(neighbour_before_, kernel_snapshot(container_of(neighbour_).fd())), "");
  expect_silent_success(neighbour_.check(neighbours_result_));
}

void DelMatrix::try_one(const Case& each) {
  containers_.remove_if([](const Container& container) { return container.name() == "c1"; });
  fs::remove("/run/netns/c1");
  Attachment job = attachment(network(9000));
  const Json result = add(job, each.journal);
  const std::string veth = host_end(result);
  ASSERT_NE(veth, "");

  Attachment last = job;
  last.folder = last.cni_path = std::string(kStage) + "/libexec/cni";
  last.netns = netns_for(each, job);
  for (int round = 0; round < 2; ++round) {
    const Output output = each.with_prev_result ? last.del(result) : last.del();
    expect_silent_success(output);
    // Another somebody else, whose eth0 was made as the lost one was.
    if (each.netns == Netns::somebody_elses) last.netns = neighbour_.netns;
  }

  // Of a living container on the reference's network whose DEL names neither namespace nor result
  // nobody can know the interface. It goes with its namespace.
  const bool unknown =
      maker_ == Maker::reference && each.netns == Netns::empty && !each.with_prev_result;
  if (unknown) {
    EXPECT_TRUE(find_link(veth));
    container_of(job).remove();
  } else if (each.netns == Netns::empty) {
    EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
  }
  EXPECT_TRUE(vanishes(veth));
  expect_others_untouched();
}

void DelMatrix::try_all() {
  for (const Netns netns : kNetns) {
    for (const bool with_prev_result : {true, false}) {
      for (const Journal journal : kJournals) {
        const Case each{netns, with_prev_result, journal};
        SCOPED_TRACE(each.str());
        try_one(each);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_P(DelMatrix, LeavesNothingOfItsOwnAndTouchesNothingOfOthers) { try_all(); }

INSTANTIATE_TEST_SUITE_P(, DelMatrix,
                         Combine(Values(Maker::ours, Maker::reference),
                                 Values(Module::present, Module::missing), Values(What::bridge)),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param) == Maker::ours ? "Ours"
                                                                                   : "References") +
                                  (std::get<1>(of.param) == Module::present ? ""
                                                                            : "WithoutTheModule");
                         });
INSTANTIATE_TEST_SUITE_P(List, DelMatrix,
                         Combine(Values(Maker::ours), Values(Module::present, Module::missing),
                                 Values(What::list)),
                         [](const auto& of) {
                           return std::get<1>(of.param) == Module::present ? "Ours"
                                                                           : "OursWithoutTheModule";
                         });

}  // namespace
}  // namespace unicni::test::del_matrix_test
