// ipMasqBackend iptables, and what the reference left: the same chains and rules, found by their
// names.
#include <sstream>

#include "integration/host_test.h"
#include "support/traffic.h"

namespace unicni::test::masquerade_backend_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MasqueradeBackend : public HostTest {
 protected:
  static Json config(const std::string& changes) {
    Json config = Json::parse(R"({
      "cniVersion": "1.0.0", "name": "mynet", "type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
      "ipMasq": true, "ipMasqBackend": "iptables",
      "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]}
    })");
    config.merge_patch(Json::parse(changes));
    return config;
  }
  /// The rules of table nat that are the attachments', one a line.
  static std::string rules(const char* program = "iptables") {
    std::string found;
    std::istringstream all(tool({program, "-t", "nat", "-S"}).out);
    for (std::string line; std::getline(all, line);) {
      if (line.find("CNI-") != line.npos) found += line + '\n';
    }
    return found;
  }
  /// An attachment as Debian's plugins make and remove it.
  static Attachment by_reference(Attachment job) {
    job.folder = job.cni_path = kReferenceDir;
    job.config["cniVersion"] = "0.4.0";
    job.config.erase("ipMasqBackend");
    return job;
  }
};

TEST_F(MasqueradeBackend, AnAddressThatALaterPluginPutOnTheInterfaceIsNotMissed) {
  const std::string ptp = R"("type": "ptp", "bridge": null, "isDefaultGateway": null, )";
  int count = 0;
  for (const std::string& type : {std::string(), ptp}) {
    for (const std::string backend : {"nftables", "iptables"}) {
      for (const char* address : {"172.31.0.9/16", "192.168.7.9/32", "fd00:9::9/64"}) {
        SCOPED_TRACE(type + backend + " " + address);
        const Attachment job =
            attachment(config("{" + type + R"("ipMasqBackend": ")" + backend + "\"}"),
                       "c" + std::to_string(++count));
        Json result = must_add(job);
        tool({"ip", "addr", "add", address, "dev", "eth0", "nodad"}, netns(job));
        result["ips"].push_back({{"address", address}, {"interface", type.empty() ? 2 : 1}});
        expect_silent_success(job.check(result));
        if (backend == "iptables") {
          tool({"iptables", "-t", "nat", "-F"});
        } else {
          tool({"nft", "delete", "table", "inet", "unicni"});
        }
        EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr("missing"));
        expect_silent_success(job.del(result));
      }
    }
  }
}

TEST_F(MasqueradeBackend, IptablesRulesAreThoseOfTheReference) {
  const Attachment ours = attachment(config("{}"), "ctr1");
  const Json result = must_add(ours);
  const std::string v4 = rules();
  const std::string v6 = rules("ip6tables");
  EXPECT_THAT(v4, HasSubstr("-N CNI-5145007e2a8415ce07579739\n"));
  EXPECT_THAT(v4, HasSubstr("-A POSTROUTING -s 10.1.2.2/32 "));
  EXPECT_THAT(v4, HasSubstr(R"(--comment "name: \"mynet\" id: \"ctr1\"" -j MASQUERADE)"));
  EXPECT_THAT(tool({"nft", "list", "tables"}).out, Not(HasSubstr("inet unicni")));
  expect_silent_success(ours.check(result));
  EXPECT_THAT(tool({"iptables", "-t", "nat", "-F", "CNI-5145007e2a8415ce07579739"}).out, "");
  EXPECT_THAT(expect_error(ours.check(result))["msg"], HasSubstr("iptables"));
  expect_silent_success(ours.del(result));
  EXPECT_EQ(rules(), "");
  EXPECT_EQ(rules("ip6tables"), "");

  Attachment theirs = by_reference(attachment(config("{}"), "c2"));
  theirs.container_id = "ctr1";
  must_add(theirs);
  // The next free address is another, the rest must be the same.
  const auto at = [](std::string text, const std::string& from, const std::string& to) {
    for (std::size_t i = text.find(from); i != text.npos; i = text.find(from, i + to.size())) {
      text.replace(i, from.size(), to);
    }
    return text;
  };
  EXPECT_EQ(at(rules(), "10.1.2.3", "10.1.2.2"), v4);
  EXPECT_EQ(at(rules("ip6tables"), "fd00:1:2::3", "fd00:1:2::2"), v6);
  expect_silent_success(theirs.del());
}

TEST_F(MasqueradeBackend, IptablesRulesGoWithAFailedAddAndWithoutNamespace) {
  Json bad = config("{}");
  bad["ipam"]["routes"] = Json::parse(R"([{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}])");
  expect_error(attachment(bad, "c1").add());
  EXPECT_EQ(rules(), "");

  const Attachment job = attachment(config("{}"), "c2");
  const Json result = must_add(job);
  container_of(job).remove();
  Attachment gone = job;
  gone.netns = "";
  expect_silent_success(gone.del());
  EXPECT_EQ(rules(), "");
  EXPECT_EQ(rules("ip6tables"), "");
}

TEST_F(MasqueradeBackend, DelTakesTheReferencesRulesAlong) {
  const Attachment stays = by_reference(attachment(config("{}"), "c1"));
  must_add(stays);
  const std::string before = rules() + rules("ip6tables");
  for (const bool with_netns : {true, false}) {
    SCOPED_TRACE(with_netns);
    const Attachment theirs = by_reference(attachment(config("{}"), with_netns ? "c2" : "c3"));
    const Json result = must_add(theirs);
    EXPECT_NE(rules() + rules("ip6tables"), before);
    Attachment ours = theirs;
    ours.folder = ours.cni_path = "";
    if (!with_netns) {
      container_of(theirs).remove();
      ours.netns = "";
    }
    expect_silent_success(ours.del(result));
    EXPECT_EQ(rules() + rules("ip6tables"), before) << "c1's are all that is left";
    EXPECT_EQ(reservations("mynet").size(), 2U);
  }
  expect_silent_success(stays.del());
  EXPECT_EQ(rules() + rules("ip6tables"), "");
}

}  // namespace
}  // namespace unicni::test::masquerade_backend_test
