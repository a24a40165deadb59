// What comes from the wire: the DHCPv6 message, its options' values, neighbours' packets, and a
// client to whom the message is said in every state.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "client_v6.h"
#include "datagram.h"
#include "lease_v6.h"
#include "neighbour_v6.h"
#include "packet_v6.h"
#include "unicni/ip.h"
#include "unicni/mac.h"
#include "unicni/result.h"

namespace {

using namespace unicni::dhcp;

void require(bool holds) {
  if (!holds) std::abort();
}

unicni::IpAddress sender() { return *unicni::IpAddress::parse("fe80::1"); }

/// The message is for the client, and about its address, whatever it says.
void tell(ClientV6& client, const IdentityV6& own, PacketV6 packet, const PacketV6& sent,
          Instant now) {
  packet.xid = sent.xid;
  packet.client = own.duid;
  if (packet.server.empty()) packet.server = {0, 1, 2};
  if (!sent.server.empty()) packet.server = sent.server;
  if (!packet.associations.empty()) packet.associations.front().id = own.iaid;
  client.receive(packet, sender(), now);
  require(client.next() >= Instant(0));
}

void require_sane(const GrantV6* grant) {
  if (grant == nullptr) return;
  require(grant->t1 <= grant->t2 && grant->t2 <= grant->expires);
  require(!grant->server.empty() && !grant->address.is_v4());
  unicni::Result result;
  add_to(result, *grant);
  require(result.ips.size() == 1);
  unicni::Line line{"ok", {}};
  add_grant_v6(*grant, line);
  require(read_grant_v6(line) == *grant);
}

void live(const PacketV6& packet) {
  const IdentityV6 own{{0, 4, 7}, 9};
  std::uint32_t seed = 1;
  ClientV6 client(own, {}, [&] { return seed = seed * 1664525 + 1013904223; });
  Instant now(1000);
  auto out = client.start(now);
  PacketV6 sent = *out.send;
  for (int i = 0; i < 16; ++i) {
    PacketV6 said = packet;
    // As both answers, by turns, so that a client gets as far as it can.
    if (i % 2 == 0)
      said.type =
          sent.type == MessageTypeV6::solicit ? MessageTypeV6::advertise : MessageTypeV6::reply;
    tell(client, own, said, sent, now);
    require_sane(client.grant());
    if (client.next() == kNever) break;
    now = std::max(now, client.next());
    out = client.elapse(now);
    if (out.send) sent = *out.send;
    require_sane(client.grant());
  }
  if (client.grant() != nullptr) encode(client.release());
  static_cast<void>(client.seen());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  std::string problem;
  static_cast<void>(unwrap_v6(bytes, true));
  is_neighbour_conflict(bytes, unicni::Mac(), unicni::Mac({2, 0, 0, 0, 0, 1}), sender());
  const auto packet = decode_v6(bytes, problem);
  require(packet.has_value() == problem.empty());
  if (!packet) return 0;
  std::string none;
  require(decode_v6(encode(*packet), none) == packet);
  live(*packet);
  return 0;
}
