// The IPv6 half of an attachment's lease, as its file and answers to verbs have it: fields "v6.…"
// beside those of IPv4.
#pragma once

#include <optional>
#include <string>

#include "client_v6.h"
#include "unicni/attachment_key.h"
#include "unicni/line.h"
#include "unicni/result.h"

namespace unicni::dhcp {

/// What becomes of an attachment that gets no IPv6 address.
enum class NeedV6 : unsigned char {
  wanted,    ///< `ipv6: on`: it goes without one, with a warning
  required,  ///< it fails
};

struct LeaseV6 {
  NeedV6 need = NeedV6::wanted;
  IdentityV6 identity;
  /// It had an address once. Else an ADD waits for the first one yet, and puts it on the interface.
  bool was_given = false;
  std::optional<GrantV6> grant;
  /// As Lease::farewell, an IPv6 packet.
  Bytes farewell = {};
  friend bool operator==(const LeaseV6&, const LeaseV6&) = default;
};

/// DUID and IAID of an attachment. The DUID is a UUID (RFC 6355) of version 8, made of the SHA-512
/// of `client`, which names the client to DHCPv4 servers as well; the IAID is made of network and
/// interface. So both stay if a pod comes again whose configuration gives it a name.
IdentityV6 identity_v6(const Bytes& client, const AttachmentKey& key);

void add_lease_v6(const LeaseV6& lease, Line& line);
/// False: what the line says of IPv6 is damaged. Nothing, if it says none of it.
bool read_lease_v6(const Line& line, std::optional<LeaseV6>& into);

/// Of an answer to a verb.
void add_grant_v6(const GrantV6& grant, Line& line);
std::optional<GrantV6> read_grant_v6(const Line& line);

/// /128, as DHCPv6 says nothing of what else is on the link: routers do (RFC 5942).
IpNet net_of(const GrantV6& grant);
/// Address and DNS settings, behind those of IPv4.
void add_to(Result& result, const GrantV6& grant);

}  // namespace unicni::dhcp
