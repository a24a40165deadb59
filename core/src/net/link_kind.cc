#include "unicni/net/link_kind.h"

#include <fmt/core.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {

/// Asks without making anything: the kernel loads the module of the kind first and checks the
/// address after that, and a multicast MAC is no address of a link.
bool knows_link_kind(Netlink& netlink, const LinkKind& kind) {
  SingleRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  put_header<ifinfomsg>(request);
  constexpr std::array<std::uint8_t, 6> kMulticast{1};
  put_mac(request, IFLA_ADDRESS, Mac(kMulticast));
  {
    const Nest info(request, IFLA_LINKINFO);
    put_text(request, IFLA_INFO_KIND, kind.name);
  }
  const int error = netlink.ask(request, {});
  if (error == EADDRNOTAVAIL) return true;
  if (error == EOPNOTSUPP) return false;
  throw system_error(error, fmt::format("ask for link kind {}", kind.name));
}

}  // namespace unicni::net
