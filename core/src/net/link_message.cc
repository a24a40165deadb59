#include "net/link_message.h"

#include <fmt/core.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {

namespace {
constexpr std::size_t kAliasLimit = 255;  // IFALIASZ - 1
}  // namespace

/// Parent and namespace in one message: IFLA_LINK is an index of the namespace that the request is
/// sent in, and the link is made at once in the other one.
nl_msg* add_link(Batch& batch, const LinkSpec& spec, const LinkKind& kind,
                 const std::function<void(nl_msg*)>& put_data) {
  std::string where = spec.netns != nullptr ? " in " + spec.netns->path() : "";
  if (!spec.parent.name.empty()) where += " on " + spec.parent.name;
  nl_msg* message = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                              fmt::format("create {} {}{}", kind.name, spec.name, where));
  put_header<ifinfomsg>(message).ifi_index = spec.index;
  put_name(message, IFLA_IFNAME, spec.name);
  if (spec.mac) put_mac(message, IFLA_ADDRESS, *spec.mac);
  if (spec.mtu != 0) put_u32(message, IFLA_MTU, spec.mtu);
  if (spec.parent.index != 0) {
    put_u32(message, IFLA_LINK, static_cast<std::uint32_t>(spec.parent.index));
  }
  if (spec.netns != nullptr) {
    put_u32(message, IFLA_NET_NS_FD, static_cast<std::uint32_t>(spec.netns->fd()));
  }
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_KIND, kind.name);
  if (!put_data) return message;
  const Nest data(message, IFLA_INFO_DATA);
  put_data(message);
  return message;
}

/// For a link that an earlier message of the batch makes: its index isn't known yet. RTM_NEWLINK
/// without NLM_F_CREATE changes it.
nl_msg* change_by_name(Batch& batch, const std::string& name, std::string what) {
  nl_msg* message = batch.add(RTM_NEWLINK, 0, std::move(what));
  put_header<ifinfomsg>(message).ifi_family = AF_UNSPEC;
  put_name(message, IFLA_IFNAME, name);
  return message;
}

/// ifi_change says which flags the message is about, so all others stay as they are.
void put_link_flag(nl_msg* message, unsigned flag, bool on) {
  auto& header = family_header<ifinfomsg>(message);
  header.ifi_change |= flag;
  if (on) header.ifi_flags |= flag;
}

/// Without a closing NUL: the kernel takes the length of the attribute for that of the alias.
void put_alias(nl_msg* message, const std::string& alias) {
  put_bytes(message, IFLA_IFALIAS, alias.size(), alias.data());
}

/// The kernel refuses a longer one with EINVAL, after the link was made by the same batch.
void require_alias(const std::string& name, const std::string& alias) {
  if (alias.size() <= kAliasLimit) return;
  throw Error(Code::internal, fmt::format("alias of {} has {} bytes", name, alias.size()),
              fmt::format("at most {} are possible", kAliasLimit));
}

/// The data of another kind would be read with attributes that mean something else, so the kind is
/// compared first.
void read_kind_data(Netlink& netlink, const std::string& name, const LinkKind& kind,
                    const std::function<void(std::uint16_t, const nlattr*)>& each) {
  SingleRequest request(RTM_GETLINK);
  put_header<ifinfomsg>(request);
  put_name(request, IFLA_IFNAME, name);
  put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  const auto read = [&](const nlattr* info) {
    std::string found;
    const nlattr* data = nullptr;
    for_each_attribute(info, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == IFLA_INFO_KIND) found = text_of(attribute);
      if (type == IFLA_INFO_DATA) data = attribute;
    });
    if (data != nullptr && found == kind.name) for_each_attribute(data, each);
  };
  const int error = netlink.ask(request, [&](const nlmsghdr* message) {
    for_each_attribute(message, sizeof(ifinfomsg), [&](std::uint16_t type, const nlattr* part) {
      if (type == IFLA_LINKINFO) read(part);
    });
  });
  if (error != 0 && error != ENODEV) throw system_error(error, "look up link " + name);
}

}  // namespace unicni::net
