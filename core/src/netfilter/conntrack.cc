#include "unicni/netfilter/conntrack.h"

#include <endian.h>
#include <fmt/core.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/attribute.h"
#include "net/netlink_socket.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

// Which parts of the tuple count: CTA_FILTER_F_* of net/netfilter/nf_conntrack_netlink.c, which no
// header has.
constexpr std::uint32_t kFilterDestination = 1U << 1U;
constexpr std::uint32_t kFilterProtocol = 1U << 3U;
constexpr std::uint32_t kFilterDestinationPort = 1U << 5U;

void put_tuple(nl_msg* message, const Flows& flows) {
  const Nest tuple(message, CTA_TUPLE_ORIG);
  if (flows.host_ip) {
    const Nest addresses(message, CTA_TUPLE_IP);
    put_address(message, flows.family == Family::v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST,
                *flows.host_ip);
  }
  const Nest protocol(message, CTA_TUPLE_PROTO);
  put_u8(message, CTA_PROTO_NUM, flows.protocol);
  put_u16(message, CTA_PROTO_DST_PORT, htobe16(flows.host_port));
}

}  // namespace

void forget_flows(Nft& nft, const Flows& flows) {
  SingleRequest request(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
  auto& header = put_header<nfgenmsg>(request);
  header.nfgen_family = flows.family == Family::v4 ? AF_INET : AF_INET6;
  header.version = NFNETLINK_V0;
  put_tuple(request, flows);
  {
    // With a filter the kernel walks its table and deletes what fits (ctnetlink_flush_conntrack);
    // without one the tuple would have to be a whole connection's.
    const Nest filter(request, CTA_FILTER);
    put_u32(request, CTA_FILTER_ORIG_FLAGS,
            kFilterProtocol | kFilterDestinationPort | (flows.host_ip ? kFilterDestination : 0U));
    put_u32(request, CTA_FILTER_REPLY_FLAGS, 0);
  }
  const int error =
      nft.socket().ask(request, NetlinkSocket::Expect::acknowledgement, [](const nlmsghdr*) {});
  // EINVAL, EOPNOTSUPP: nfnetlink_conntrack isn't there, so nothing was tracked for anybody to see.
  if (error != 0 && error != ENOENT && error != EINVAL && error != EOPNOTSUPP) {
    throw system_error(error, fmt::format("forget the connections to port {}", flows.host_port));
  }
}

}  // namespace unicni::net
