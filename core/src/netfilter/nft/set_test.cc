#include "netfilter/nft/set.h"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include <algorithm>
#include <set>

#include "base/ip_for_test.h"
#include "netfilter/nft/describe.h"
#include "netfilter/nft/part.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net::set_test {
namespace {

using testing::Contains;

TEST(NftSetTest, ARowIsFoundByItsExactNameInItsTable) {
  std::set<std::string_view> names;
  for (const NftSetRow& row : nft_sets()) {
    SCOPED_TRACE(row.name.c_str());
    EXPECT_TRUE(names.insert(row.name.view()).second) << "a name has one row";
    const auto found = find_nft_set(row.table, row.name.view());
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kind, row.kind);
    EXPECT_EQ(found->family, row.family);
    EXPECT_EQ(&nft_set(row.kind, row.address_family()), &row);
    const auto other = row.table == NftTable::inet ? NftTable::bridge : NftTable::inet;
    EXPECT_FALSE(find_nft_set(other, row.name.view()));
  }
  for (const char* none : {"", "port4", "port4_at ", "port5_at", "bit", "claim", "masq4", "net4"}) {
    EXPECT_FALSE(find_nft_set(NftTable::inet, none)) << none;
  }
}

TEST(NftSetTest, ARowOfAPrefixHasItsLengthAsAField) {
  const auto row = find_nft_set(NftTable::inet, "hairpin6_128");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->kind, NftSetKind::hairpin);
  EXPECT_EQ(row->family, Family::v6);
  EXPECT_EQ(row->prefix, 128);
  EXPECT_EQ(row->name.view(), "hairpin6_128");
  EXPECT_EQ(row->key_size(), 16U + 4 + 4 + 16);
  EXPECT_LT(find_nft_set(NftTable::inet, "bit6")->prefix, 0);
  EXPECT_FALSE(find_nft_set(NftTable::bridge, "masq4_16"));
}

TEST(NftSetTest, EachBelongsToAPartWhichSaysOfItsFamilies) {
  for (const NftSetRow& row : nft_sets()) {
    SCOPED_TRACE(row.name.c_str());
    const NftElement element{row.name.c_str(), {}, {}, {}, row.table};
    EXPECT_FALSE(nft_parts_of(element).empty());
    for (const NftPart& part : nft_parts()) {
      if (std::ranges::find(part.sets, row.kind) == part.sets.end()) continue;
      EXPECT_EQ(part.table, row.table);
      EXPECT_TRUE(!row.family || part.marker) << "a part with families has a marker";
    }
  }
}

/// All elements that an attachment can have, and those of its network.
struct Made {
  std::vector<NftElement> own;
  std::vector<NftElement> shared;
};

void put(std::vector<NftElement>& to, const std::vector<NftElement>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

Made make_all(const char* address, const char* host_ip, int prefix) {
  const std::string owner = "net/c1/eth0";
  const IpAddress container = ip(address);
  Made made;
  put(made.own,
      {masquerade_element(IpNet(container, prefix), owner),
       forward_element("br0", container, owner), localnet_user_element("br0", container, owner)});
  put(made.own, ingress_elements(IngressPolicy::isolated, "br0", container, owner));
  put(made.own, spoof_check_elements("veth1", Mac::parse("02:00:00:00:00:01").value(), owner));
  put(made.shared, {forward_interface_element("br0", "net"), policy_interface_element("br0", "net"),
                    localnet_element("br0", "net", true)});
  for (const bool at_one : {false, true}) {
    for (const char* condition : {"", "condition_1"}) {
      for (const int way : {0, 1, 2}) {  // of the senders that get the host's address
        PublishedPort port;
        port.protocol = IPPROTO_SCTP;
        if (at_one) port.host_ip = ip(host_ip);
        port.host_port = 8080;
        port.container = container;
        port.container_port = 80;
        port.prefix = prefix;
        port.snat = way == 0;
        port.masq_all = way == 1;
        port.mark_bit = 31;
        port.condition = condition;
        const PortElements elements = port_elements(port, owner, "net");
        put(made.own, elements.own);
        put(made.shared, elements.shared);
      }
    }
  }
  return made;
}

TEST(NftSetTest, WhatIsMadeFitsItsRow) {
  std::set<NftSetKind> kinds;
  const Made made4 = make_all("10.1.0.5", "192.0.2.1", 16);
  Made made6 = make_all("fd00::5", "2001:db8::1", 64);
  // route_localnet is of IPv4 alone.
  std::erase_if(made6.own, [](const NftElement& element) { return element.set == "local4"; });
  for (const Made& made : {made4, made6}) {
    for (const auto* elements : {&made.own, &made.shared}) {
      for (const NftElement& element : *elements) {
        SCOPED_TRACE(element.set);
        const auto row = find_nft_set(element);
        ASSERT_TRUE(row);
        kinds.insert(row->kind);
        EXPECT_EQ(element.key.size(), row->key_size());
        EXPECT_EQ(element.data.empty(), !row->is_map());
        const bool own = elements == &made.own;
        EXPECT_NE(row->owner, own ? NftSetOwner::network : NftSetOwner::attachment);
        EXPECT_EQ(element.owner, own ? "net/c1/eth0" : "net");
        // Words, where bytes that don't fit would be hexadecimal.
        EXPECT_NE(describe_key(element).find_first_not_of("0123456789abcdef"), std::string::npos);
      }
    }
  }
  for (const NftSetRow& row : nft_sets()) EXPECT_THAT(kinds, Contains(row.kind));
  for (const NftSetKind kind :
       {NftSetKind::masquerade, NftSetKind::hairpin, NftSetKind::hairpin_bit}) {
    EXPECT_THAT(kinds, Contains(kind));
  }
}

}  // namespace
}  // namespace unicni::net::set_test
