#include "unicni/net/link_kind.h"

#include <fmt/core.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

#include "net/link_message.h"
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

void add_link(Batch& batch, const LinkSpec& spec, const LinkKind& kind,
              const std::vector<KindValue>& values) {
  add_link(batch, spec, kind, [&](nl_msg* message) {
    for (const KindValue& value : values) {
      put_bytes(message, value.attribute, value.bytes.size(), value.bytes.data());
    }
  });
}

std::optional<std::string> find_kind_bytes(Netlink& netlink, const std::string& name,
                                           const LinkKind& kind, std::uint16_t attribute) {
  std::optional<std::string> found;
  read_kind_data(netlink, name, kind, [&](std::uint16_t type, const nlattr* value) {
    if (type == attribute) found = bytes_of(value);
  });
  return found;
}

}  // namespace unicni::net
