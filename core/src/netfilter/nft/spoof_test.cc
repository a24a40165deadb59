// Table bridge unicni: frames from wrong MACs.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include "net/netlink_socket.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/base.h"
#include "netfilter/nft/describe.h"
#include "netfilter/nft/element.h"
#include "unicni/error.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net::spoof_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kBase = R"(table bridge unicni {
	comment "unicni base 1"
	set port_checked {
		type ifname
		comment "ports whose senders are checked"
	}

	set port_mac {
		type ifname . ether_addr
		comment "port . MAC that it may send from"
	}

	chain prerouting {
		type filter hook prerouting priority dstnat; policy accept;
		iifname @port_checked goto check_mac
	}

	chain check_mac {
		iifname . ether saddr != @port_mac drop
		iifname . arp saddr ether != @port_mac drop
	}
}
)";

constexpr const char* kOwner = "net/c1/eth0";

Mac mac(const char* text) { return Mac::parse(text).value(); }
std::vector<NftElement> check(const char* port, const char* address, const char* owner = kOwner) {
  return spoof_check_elements(port, mac(address), owner);
}

/// All frames of a link, as they are on the wire.
class FrameSocket {
 public:
  explicit FrameSocket(const char* link)
      : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(link));
    if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw system_error(errno, "bind");
    }
  }
  void send(const std::string& frame) const {
    EXPECT_EQ(static_cast<ssize_t>(frame.size()), ::send(fd_.get(), frame.data(), frame.size(), 0));
  }
  /// True if a frame that ends with `tail` comes within the time.
  [[nodiscard]] bool sees(const std::string& tail, int milliseconds) const {
    for (;;) {
      pollfd ready{fd_.get(), POLLIN, 0};
      if (::poll(&ready, 1, milliseconds) != 1) return false;
      std::array<char, 2048> bytes{};
      const ssize_t size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
      if (size > 0 &&
          std::string_view(bytes.data(), static_cast<std::size_t>(size)).ends_with(tail)) {
        return true;
      }
    }
  }

 private:
  sys::Fd fd_;
};

std::string bytes_of(const Mac& mac) {
  return {reinterpret_cast<const char*>(mac.bytes().data()), mac.bytes().size()};
}
const std::string kBroadcast(6, '\xff');

/// An Ethernet frame of a made-up protocol.
std::string frame(const char* source, const std::string& payload, const std::string& tag = {}) {
  return kBroadcast + bytes_of(mac(source)) + tag + "\x88\xb5" + payload;
}
/// An ARP reply that claims `sender` for 10.0.0.1; the last bytes make it known again.
std::string arp(const char* source, const char* sender, char mark, const std::string& tag = {}) {
  using namespace std::string_literals;
  return kBroadcast + bytes_of(mac(source)) + tag + "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02"s +
         bytes_of(mac(sender)) + "\x0a\x00\x00\x01"s + kBroadcast + "\x0a\x00\x00"s + mark +
         std::string(18, mark);
}

class NftSpoofTest : public PrivateNetnsTest {
 protected:
  /// br0 with the ports port1 and port2, whose other ends are in this namespace as well.
  static void make_bridge() {
    shell(
        "ip link add br0 type bridge && ip link set br0 up && sysctl -qw "
        "net.ipv6.conf.all.disable_ipv6=1 && for i in 1 2; do ip link add port$i type veth peer "
        "name end$i && ip link set port$i master br0 up && ip link set end$i up; done");
  }
  /// Whether a frame put into `from` comes out of `to`. veth and bridge hand it on at once, so that
  /// a frame that isn't there soon was dropped.
  static bool passes(const char* from, const char* to, const std::string& bytes) {
    const FrameSocket in(from);
    const FrameSocket out(to);
    const std::string tail = bytes.substr(bytes.size() - 8);
    in.send(bytes);
    return out.sees(tail, 200);
  }
};

constexpr const char* kMine = "02:00:00:00:00:01";
constexpr const char* kOther = "02:00:00:00:00:02";

TEST_F(NftSpoofTest, BaseIsWhatNftWouldHaveMade) {
  NetlinkSocket socket(NETLINK_NETFILTER);
  EXPECT_TRUE(create_nft_base(socket, NftTable::bridge, nft_parts_of(NftTable::bridge)));
  EXPECT_EQ(kBase, shell("nft list ruleset"));
  EXPECT_FALSE(create_nft_base(socket, NftTable::bridge, nft_parts_of(NftTable::bridge)));
}

TEST_F(NftSpoofTest, ListingReloadsToTheSame) {
  Nft nft;
  const auto elements = check("veth12345678", kMine);
  nft.add(elements, {});
  const std::string listed = shell("nft list ruleset");
  EXPECT_THAT(listed, HasSubstr(R"(elements = { "veth12345678" comment "net/c1/eth0" })"));
  EXPECT_THAT(listed, HasSubstr(R"("veth12345678" . 02:00:00:00:00:01 comment "net/c1/eth0")"));
  const std::string raw = shell("nft --debug=netlink list ruleset | grep '^ *\\['");
  EXPECT_EQ(listed,
            shell("f=$(mktemp) && nft list ruleset > $f && nft flush ruleset && nft -f $f && rm $f "
                  "&& nft list ruleset"));
  // nft hides the condition "is ARP", and puts its own word for it back in.
  EXPECT_EQ(raw,
            shell("nft --debug=netlink list ruleset | grep '^ *\\[' | sed 's/payload load 2b @ "
                  "link header + 12/meta load protocol/'"));
  EXPECT_EQ(kOwner, nft.find("port_mac", elements[1].key, NftTable::bridge).value().owner);
  EXPECT_EQ(2U, nft.remove(elements));
}

TEST_F(NftSpoofTest, TheOtherTableIsNotMade) {
  Nft nft;
  nft.add(check("veth1", kMine), {});
  EXPECT_EQ("table bridge unicni\n", shell("nft list tables"));
}

TEST_F(NftSpoofTest, BothTablesInOneTransaction) {
  Nft nft;
  const NftElement masquerade = masquerade_element(IpNet::parse("10.1.0.5/16").value(), kOwner);
  std::vector<NftElement> all = check("veth1", kMine);
  all.push_back(masquerade);
  nft.add(all, {});
  EXPECT_THAT(nft.list("masq4_16"), ElementsAre(masquerade));
  EXPECT_THAT(nft.list("port_mac", NftTable::bridge), ElementsAre(all[1]));
  EXPECT_THAT(nft.list("port_mac"), IsEmpty()) << "no such set in the other table";
  EXPECT_EQ(std::nullopt, nft.find("port_mac", all[1].key));
  nft.add(all, {});
  // One that is taken keeps all out, whichever table it is of.
  std::vector<NftElement> foreign = check("veth2", kMine, "net/c2/eth0");
  foreign.push_back(masquerade_element(IpNet::parse("10.1.0.5/16").value(), "net/c2/eth0"));
  EXPECT_THROW(nft.add(foreign, {}), Error);
  EXPECT_THAT(nft.list("port_mac", NftTable::bridge), ElementsAre(all[1]));
  EXPECT_EQ(3U, nft.remove(all));
  EXPECT_THAT(nft.list("port_checked", NftTable::bridge), IsEmpty());
}

TEST_F(NftSpoofTest, ATakenPortNamesItsOwner) {
  Nft nft;
  nft.add(check("veth1", kMine), {});
  try {
    nft.add(check("veth1", kMine, "net/c2/eth0"), {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), HasSubstr("of table bridge unicni belongs to \"net/c1/eth0\""));
    EXPECT_THAT(error.msg(), HasSubstr("veth1"));
  }
  EXPECT_EQ(0U, nft.remove(check("veth1", kMine, "net/c2/eth0")));
  EXPECT_EQ(2U, nft.remove(check("veth1", kMine)));
}

TEST_F(NftSpoofTest, FramesFromOwnMacPassOthersDont) {
  make_bridge();
  Nft nft;
  EXPECT_TRUE(passes("end1", "end2", frame(kOther, "unchecked before")));
  nft.add(check("port1", kMine), {});
  EXPECT_TRUE(passes("end1", "end2", frame(kMine, "own mac.......")));
  EXPECT_FALSE(passes("end1", "end2", frame(kOther, "other mac.....")));
  EXPECT_TRUE(passes("end2", "end1", frame(kOther, "towards the port")));
  EXPECT_TRUE(passes("end2", "end1", frame(kMine, "another port may")));
  EXPECT_FALSE(passes("end1", "br0", frame(kOther, "nor to the host")));
  nft.add(check("port1", kOther), {});
  EXPECT_TRUE(passes("end1", "end2", frame(kOther, "a second mac..")));
  EXPECT_EQ(3U, nft.remove([&] {
    auto all = check("port1", kOther);
    all.push_back(check("port1", kMine)[1]);
    return all;
  }()));
  EXPECT_TRUE(passes("end1", "end2", frame("02:00:00:00:00:03", "unchecked after")));
}

TEST_F(NftSpoofTest, TheSenderOfAnArpMessageCounts) {
  make_bridge();
  Nft nft;
  EXPECT_TRUE(passes("end1", "end2", arp(kMine, kOther, 1)));
  nft.add(check("port1", kMine), {});
  EXPECT_TRUE(passes("end1", "end2", arp(kMine, kMine, 2)));
  EXPECT_FALSE(passes("end1", "end2", arp(kMine, kOther, 3)));
  EXPECT_FALSE(passes("end1", "end2", arp(kOther, kMine, 4)));
}

TEST_F(NftSpoofTest, VlanTagsHideNothing) {
  using namespace std::string_literals;
  make_bridge();
  Nft nft;
  nft.add(check("port1", kMine), {});
  const std::string tag = "\x81\x00\x00\x05"s;
  EXPECT_TRUE(passes("end1", "end2", frame(kMine, "tagged, own mac", tag)));
  EXPECT_FALSE(passes("end1", "end2", frame(kOther, "tagged, other...", tag)));
  EXPECT_TRUE(passes("end1", "end2", arp(kMine, kMine, 5, tag)));
  EXPECT_FALSE(passes("end1", "end2", arp(kMine, kOther, 6, tag)));
}

TEST(NftSpoofElementTest, KeysArePaddedFields) {
  const auto elements = check("veth1", kMine);
  ASSERT_EQ(2U, elements.size());
  EXPECT_EQ(std::string("veth1\0\0\0\0\0\0\0\0\0\0\0", 16), elements[0].key);
  EXPECT_EQ(std::string("veth1\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\1\0\0", 24), elements[1].key);
  for (const NftElement& element : elements) {
    EXPECT_EQ(NftTable::bridge, element.table);
    EXPECT_EQ(kOwner, element.owner);
  }
  EXPECT_EQ("veth1", describe_key(elements[0]));
  EXPECT_EQ("veth1 . 02:00:00:00:00:01", describe_key(elements[1]));
  EXPECT_EQ("abcdefghijklmno", describe_key(check("abcdefghijklmno", kMine)[0]));
}

TEST(NftSpoofElementTest, NamesThatNoLinkCanHaveAreRefused) {
  EXPECT_THROW(check("", kMine), Error);
  EXPECT_THROW(check("abcdefghijklmnop", kMine), Error);
}

}  // namespace
}  // namespace unicni::net::spoof_test
