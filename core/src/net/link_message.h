// The messages that make and change links.
#pragma once

#include <functional>
#include <string>

#include "net/attribute.h"
#include "unicni/net/link_kind.h"

namespace unicni::net {

/// The message that makes a link, with what all kinds have. `put_data` puts what its kind has
/// (IFLA_INFO_DATA); none: nothing.
nl_msg* add_link(Batch&, const LinkSpec&, const LinkKind&,
                 const std::function<void(nl_msg*)>& put_data = {});
/// A change of a link that is named, as its index isn't known yet.
nl_msg* change_by_name(Batch&, const std::string& name, std::string what);

/// IFF_*
void put_link_flag(nl_msg* message, unsigned flag, bool on);
void put_alias(nl_msg* message, const std::string& alias);
/// Throws Error if no link could have it; before a batch holds half of what the caller wants.
void require_alias(const std::string& name, const std::string& alias);

/// What the kernel says about a link as one of that kind: calls `each(type, attribute)` for what
/// its IFLA_INFO_DATA holds. Nothing if it is of another kind or gone.
void read_kind_data(Netlink&, const std::string& name, const LinkKind&,
                    const std::function<void(std::uint16_t, const nlattr*)>& each);

}  // namespace unicni::net
