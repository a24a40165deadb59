// Every kernel call and file operation of ADD fails once: the error says what failed, and nothing
// is left.
#include <algorithm>
#include <filesystem>
#include <regex>

#include "integration/host_test.h"
#include "support/fault.h"
#include "support/recorder.h"

namespace unicni::test::error_test {
namespace {

using ::testing::HasSubstr;

/// Where ADD begins to work; what is before is modules being looked for and loaded.
constexpr const char* kWork = "/proc/sys/kernel/random/boot_id";

bool is_one_of(const std::string& call, std::initializer_list<const char*> patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const char* pattern) {
    return std::regex_search(call, std::regex(pattern));
  });
}

/// ADD may go on without this call: it is a nicety, or there is another way to the same end.
bool is_dispensable(const std::string& call) {
  return is_one_of(
      call,
      {
          // CNI_NETNS is compared with the host's once more when it is opened.
          "^stat /run/netns/",
          // A step that doesn't enter it notes which namespace it is for; who makes a table asks
          // whose
          // namespaces of all journals are gone, and what can't be known counts as alive.
          "^(openat|ioctl|fstat|stat|setns) /run/netns/c1$",
          // The socket in there: itself, its address, SO_TYPE.
          "^(socket|getsockname rtnetlink|getsockopt rtnetlink option 3)$",
          // NFT_MSG_GETSETELEM: a look at an element before it is added, which the kernel refuses
          // if that can't be.
          "^nftables message of type 13$",
          "^stat /proc/thread-self/ns/net$",
          // Whether a module is there is seen once more when it is loaded; one of our own number
          // that can't be looked at is passed over.
          "^stat .*/modules/[a-z-]+(\\.abi[0-9]+)?\\.so$",
          // A program that can't be looked at isn't taken; our own may be
          // executed instead of called.
          "^stat .*/libexec/cni/",
          // NETLINK_EXT_ACK, NETLINK_CAP_ACK, SO_RCVTIMEO, SO_NETNS_COOKIE
          "^setsockopt .* option (10|11|12|20)$",
          "^getsockopt rtnetlink option 71$",
          // SO_PROTOCOL: libnl believes it then.
          "^getsockopt (rtnetlink|nftables) option 38$",
          // What other attachments' journals remember of their rules.
          "^(openat|getdents|stat) /run/unicni(/attachments)?$",
          "^(openat|read|stat) /run/unicni/",
          // linkat(2) has two forms.
          "^link /run/unicni/attachments/mynet:c1:eth0$",
          // Where to begin with the search for an address; an address whose file
          // can't be read counts as taken. host-local's index only saves time.
          "^(openat|read) .*/last_reserved_ip\\.",
          "^(openat|read|stat) /var/lib/cni/networks/mynet/[0-9a-f]+[.:]",
          "^\\w+ /var/lib/cni/networks/mynet/\\.",
          "^stat /var/lib/cni/networks/mynet$",
          "^getrandom$",
          // ethtool's settings of a veth.
          "^ioctl rtnetlink$",
          // RTM_GETNETCONF: the sysctl's file says the same.
          "^rtnetlink message of type 82$",
          // Closing the file does it as well, unless a child has the descriptor.
          "^unlock ",
          // A delegate need not read all of its request.
          "^write pipe:",
      });
}

/// The error has other words for it than the errno's name: those of the dynamic linker, or what the
/// errno means here.
const char* other_words(const std::string& call) {
  const std::pair<const char*, const char*> known[] = {
      {"^openat .*\\.so$", "Too many open files"},
      {"^read .*\\.so$", "Input/output error"},
      {"^stat .*\\.so$", "ermission denied"},
      {"^ioctl /run/netns/", "is no network namespace"},
      // Nothing may go on in the wrong namespace, whoever failed to come back.
      {"^setns net:", "could not return"},
      {"^stat /proc/thread-self/ns/net$", "could not return"},
  };
  for (const auto& [pattern, words] : known) {
    if (is_one_of(call, {pattern})) return words;
  }
  return nullptr;
}

class Errors : public HostTest {
 protected:
  /// What is to be tried: which faults, in which ADD, on which host.
  struct Trial {
    Fault fault = Fault::call;
    Json config = dual_stack();
    std::string from = kWork;
    std::string until = {};        ///< the first call that is another test's
    int fewest = 0;                ///< faults, for the test to be one
    bool neighbour = false;        ///< another attachment of the network lives
    std::string own_failure = {};  ///< ADD fails in any case, saying this
    std::string cni_path = {};
  };
  static Json dual_stack() {
    Json config = with_version(mynet(), "1.1.0");
    config["ipam"] = Json::parse(R"({"type": "host-local", "ranges": [
        [{"subnet": "10.22.0.0/16"}], [{"subnet": "fd22::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]})");
    return config;
  }
  void inject_everywhere(const Trial& trial);

 private:
  /// No bridge, no table of ours, no folder of a network.
  void forget_host();
  void judge(const Trial& trial, const Injection& injection, const Attachment& job);
  void expect_nothing_left(const Attachment& job);

  Snapshot before_;
  Snapshot inside_;
  std::vector<std::string> journals_;
};

void Errors::forget_host() {
  for (const std::string& name : link_names()) tool({"ip", "link", "del", name});
  if (succeeds({"nft", "list", "table", "inet", "unicni"})) {
    tool({"nft", "delete", "table", "inet", "unicni"});
  }
  std::filesystem::remove_all("/run/unicni");
  std::filesystem::remove_all("/var/lib/cni/networks");
}

void Errors::judge(const Trial& trial, const Injection& injection, const Attachment& job) {
  const Output& output = injection.output;
  if (output.ok()) {
    EXPECT_TRUE(is_dispensable(injection.call)) << output.str();
    const Json result = output.json();
    if (result.is_object()) expect_silent_success(job.check(result));
    return;
  }
  // The error document itself could not be written: the exit status is all that is left.
  if (is_one_of(injection.call, {"^write /memfd:"}) && !trial.own_failure.empty()) return;
  const std::string msg = expect_error(output).value("msg", "");
  if (!trial.own_failure.empty() && msg.find(trial.own_failure) != msg.npos) return;
  const std::string name = '(' + injection.error + ')';
  const char* words = trial.fault == Fault::call ? other_words(injection.call) : nullptr;
  if (words != nullptr && msg.find(name) == msg.npos) {
    EXPECT_THAT(msg, HasSubstr(words));
  } else {
    // "<action> <object>: <text> (<ERRNO>)"
    EXPECT_TRUE(
        std::regex_search(msg, std::regex(R"(\w+ \S+.*: [^:]+ \()" + injection.error + R"(\))")))
        << msg;
  }
}

void Errors::expect_nothing_left(const Attachment& job) {
  EXPECT_EQ(difference(before_, snapshot()), "");
  EXPECT_EQ(difference(inside_, kernel_snapshot(container_of(job).fd())), "");
  EXPECT_EQ(files_in(kJournals), journals_);
}

void Errors::inject_everywhere(const Trial& trial) {
  std::optional<Attachment> neighbour;
  Json neighbours_result;
  if (trial.neighbour) {
    neighbour = attachment(dual_stack(), "neighbour");
    neighbours_result = must_add(*neighbour);
  }
  journals_ = files_in(kJournals);
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 600);
    containers_.remove_if([](const Container& each) { return each.name() == "c1"; });
    Attachment job = attachment(trial.config);
    job.cni_path = trial.cni_path;
    if (!neighbour) forget_host();
    if (k == 1) {
      before_ = snapshot();
      inside_ = kernel_snapshot(container_of(job).fd());
    }
    const Injection injection = fail_at(job.spawn("ADD", job.config), k, trial.fault, trial.from);
    const bool is_others = !trial.until.empty() && injection.call.ends_with(trial.until);
    if (!injection.reached || is_others) {
      const bool works = trial.own_failure.empty() && !is_others;
      EXPECT_EQ(injection.output.ok(), works) << injection.output.str();
      expect_silent_success(job.del());
      EXPECT_GE(k, trial.fewest) << "too few faults to be true";
      return;
    }
    SCOPED_TRACE(std::to_string(k) + ": " + injection.call + ": " + injection.error);
    judge(trial, injection, job);
    const bool added = injection.output.ok();
    // A roll-back that fails itself, or that would be in the wrong namespace, is DEL's.
    const bool rolled_back = trial.own_failure.empty() && injection.call.find("setns net:") != 0;
    const bool clean = !added && rolled_back;
    if (clean) expect_nothing_left(job);
    expect_silent_success(job.del());
    expect_silent_success(job.del());
    if (added && !neighbour) tool({"ip", "link", "del", "cni0"});
    if (clean) {
      EXPECT_EQ(files_in(kJournals), journals_);
      EXPECT_EQ(link_names().size(), neighbour ? 2U : 0U);
    } else {
      expect_nothing_left(job);
    }
    if (neighbour) expect_silent_success(neighbour->check(neighbours_result));
    if (HasFailure()) return;
  }
}

TEST_F(Errors, OfEachCallBeforeTheWork) {
  inject_everywhere({.from = "", .until = kWork, .fewest = 30});
}

TEST_F(Errors, OfEachCallOnAFreshHost) { inject_everywhere({.fewest = 100}); }

TEST_F(Errors, OfEachCallBesideANeighbour) { inject_everywhere({.fewest = 80, .neighbour = true}); }

TEST_F(Errors, OfEachMessageOnAFreshHost) {
  inject_everywhere({.fault = Fault::message, .fewest = 25});
}

TEST_F(Errors, OfEachMessageBesideANeighbour) {
  inject_everywhere({.fault = Fault::message, .fewest = 10, .neighbour = true});
}

TEST_F(Errors, OfADiskThatIsFull) { inject_everywhere({.fault = Fault::disk_full, .fewest = 20}); }

// The last thing that ADD does in the kernel fails, so most of these are in its roll-back.
TEST_F(Errors, OfEachCallOfARollBack) {
  Json config = dual_stack();
  config["ipam"]["routes"] = Json::parse(R"([{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}])");
  inject_everywhere({.config = config, .fewest = 100, .own_failure = "192.168.77.1"});
}

TEST_F(Errors, OfEachCallAroundAForeignIpam) {
  Recorder ipam("fake");
  ipam.answer("ADD", R"({"cniVersion": "1.1.0", "ips": [{"address": "10.22.0.77/16"}]})");
  Json config = dual_stack();
  config["ipam"] = {{"type", "fake"}};
  inject_everywhere({.config = config, .fewest = 80, .cni_path = bin_dir() + ':' + ipam.folder()});
  // Nobody may keep an address: the last word of each attachment is a DEL that succeeded.
  EXPECT_EQ(ipam.commands().back(), "DEL");
}

TEST_F(Errors, OfEachCallAroundAnIpamThatFails) {
  Recorder ipam("fake");
  ipam.answer("ADD", R"({"cniVersion": "1.1.0", "code": 111, "msg": "out of luck"})", 1);
  Json config = dual_stack();
  config["ipam"] = {{"type", "fake"}};
  inject_everywhere({.config = config,
                     .fewest = 20,
                     .own_failure = "out of luck",
                     .cni_path = bin_dir() + ':' + ipam.folder()});
}

}  // namespace
}  // namespace unicni::test::error_test
