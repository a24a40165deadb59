// What comes from the wire: IPv4 and UDP, the DHCPv4 message inside, its options' values, and a
// client to whom it is said in every state.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "client_v4.h"
#include "datagram.h"
#include "lease.h"
#include "packet_v4.h"
#include "unicni/mac.h"
#include "values_v4.h"

namespace {

using namespace unicni::dhcp;

void require(bool holds) {
  if (!holds) std::abort();
}

void read_values(const Packet& packet) {
  GrantV4 grant;
  grant.options = packet.options;
  for (const auto& [code, value] : packet.options) {
    for (const ReceivedRoute& route : read_classless_routes(&value)) {
      require(route.dst == route.dst.masked());
    }
    for (const std::string& name : read_domain_search(&value)) require(is_domain_name(name));
    if (const auto text = read_text(&value)) require(text->find('\n') == std::string::npos);
    read_static_routes(&value);
    read_addresses(&value);
    read_mask(&value);
  }
  result_of(grant, 0);
  mtu_of(grant);
}

/// The packet is for the client, whatever it says.
void tell(ClientV4& client, Packet packet, const Packet& sent, Instant now) {
  packet.is_reply = true;
  packet.xid = sent.xid;
  packet.chaddr = sent.chaddr;
  client.receive(packet, unicni::Mac(), now);
  require(client.next() >= Instant(0));
}

void live(const Packet& packet) {
  Identity identity;
  identity.client_id = {1};
  std::uint32_t seed = 1;
  ClientV4 client(identity, {}, [&] { return seed = seed * 1664525 + 1013904223; });
  Instant now(1000);
  auto out = client.start(now);
  Packet sent = out.sends.back().packet;
  for (int i = 0; i < 12; ++i) {
    tell(client, packet, sent, now);
    if (client.next() == kNever) break;
    now = std::max(now, client.next());
    out = client.elapse(now);
    if (!out.sends.empty()) sent = out.sends.back().packet;
    require(client.grant() == nullptr || client.grant()->t1 <= client.grant()->expires);
  }
  static_cast<void>(client.seen());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  std::string problem;
  unwrap(bytes, true);
  is_arp_conflict(bytes, unicni::Mac(), unicni::IpAddress());
  const auto datagram = unwrap(bytes, false);
  const auto packet = decode(datagram ? View(datagram->payload) : bytes, problem);
  require(packet.has_value() == problem.empty());
  if (!packet) return 0;
  std::string none;
  const auto again = decode(encode(*packet), none);
  // What is empty in parts can't be told from what isn't there in parts; all else comes back.
  require(again == packet);
  read_values(*packet);
  live(*packet);
  return 0;
}
