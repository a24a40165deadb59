#include "unicni/net/ifb.h"

#include <fmt/core.h>
#include <linux/if_link.h>

#include "net/link_message.h"

namespace unicni::net {

void add_ifb(Batch& batch, const LinkSpec& spec, const std::string& alias) {
  // As the reference: the token bucket is the queue.
  put_u32(add_link(batch, spec, kIfb), IFLA_TXQLEN, 0);
  // Of a link that it makes the kernel reads no alias.
  put_alias(change_by_name(batch, spec.name, fmt::format("set alias of {}", spec.name)), alias);
}

}  // namespace unicni::net
