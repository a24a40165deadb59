// "dns" of an interface plugin beside that of IPAM.
#include "integration/host_test.h"

namespace unicni::test::dns_test {
namespace {

class DnsOfResult : public HostTest {
 protected:
  /// The result's "dns" where IPAM gives one and the configuration has `text`; "": it has none.
  Json dns_with(const std::string& type, const std::string& text) {
    Json config = Json::parse(R"({"cniVersion": "1.0.0", "name": "net", "bridge": "br0",
      "ipam": {"type": "static",
               "addresses": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1"}],
               "dns": {"nameservers": ["192.0.2.53"], "search": ["example.org"]}}})");
    config["type"] = type;
    if (type != "bridge") config.erase("bridge");
    if (!text.empty()) config["dns"] = Json::parse(text);
    const Attachment job = attachment(config);
    const Json result = must_add(job);
    expect_silent_success(job.del());
    containers_.pop_back();
    return result.value("dns", Json::object());
  }
};

TEST_F(DnsOfResult, AnyListReplacesIpamsEvenAnEmptyOne) {
  const Json of_ipam = Json::parse(R"({"nameservers": ["192.0.2.53"], "search": ["example.org"]})");
  for (const char* type : {"bridge", "ptp"}) {
    SCOPED_TRACE(type);
    for (const char* absent : {"", "null", "{}", R"({"nameservers": null, "domain": ""})"}) {
      EXPECT_EQ(dns_with(type, absent), of_ipam) << absent;
    }
    for (const char* empty : {R"({"nameservers": []})", R"({"search": []})", R"({"options": []})",
                              R"({"nameservers": [], "domain": "", "search": null})"}) {
      EXPECT_EQ(dns_with(type, empty), Json::object()) << empty;
    }
    EXPECT_EQ(dns_with(type, R"({"domain": "example.net"})"),
              Json::parse(R"({"domain": "example.net"})"));
    EXPECT_EQ(dns_with(type, R"({"nameservers": ["192.0.2.1"], "search": []})"),
              Json::parse(R"({"nameservers": ["192.0.2.1"]})"));
  }
}

}  // namespace
}  // namespace unicni::test::dns_test
