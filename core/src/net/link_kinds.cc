#include "unicni/net/link_kinds.h"

#include <fmt/core.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

#include "net/attribute.h"
#include "net/question.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

nl_msg* start(Batch& batch, const LinkSpec& spec, const char* kind) {
  std::string where = spec.netns != nullptr ? " in " + spec.netns->path() : "";
  if (!spec.parent_name.empty()) where += " on " + spec.parent_name;
  nl_msg* message = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                              fmt::format("create {} {}{}", kind, spec.name, where));
  put_header<ifinfomsg>(message).ifi_index = spec.index;
  put_name(message, IFLA_IFNAME, spec.name);
  if (spec.mac) put_mac(message, IFLA_ADDRESS, *spec.mac);
  if (spec.mtu != 0) put_u32(message, IFLA_MTU, spec.mtu);
  if (spec.parent != 0) {
    put_u32(message, IFLA_LINK, static_cast<std::uint32_t>(spec.parent));
  }
  if (spec.netns != nullptr) {
    put_u32(message, IFLA_NET_NS_FD, static_cast<std::uint32_t>(spec.netns->fd()));
  }
  return message;
}

void put_up(nl_msg* message) {
  auto& header = family_header<ifinfomsg>(message);
  header.ifi_flags |= IFF_UP;
  header.ifi_change |= IFF_UP;
}

}  // namespace

void add_macvlan(Batch& batch, const LinkSpec& spec, MacvlanMode mode, std::uint32_t bc_queue_len) {
  nl_msg* message = start(batch, spec, "macvlan");
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_KIND, "macvlan");
  const Nest data(message, IFLA_INFO_DATA);
  put_u32(message, IFLA_MACVLAN_MODE, static_cast<std::uint32_t>(mode));
  if (bc_queue_len != 0) put_u32(message, IFLA_MACVLAN_BC_QUEUE_LEN, bc_queue_len);
}

void add_ipvlan(Batch& batch, const LinkSpec& spec, IpvlanMode mode) {
  nl_msg* message = start(batch, spec, "ipvlan");
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_KIND, "ipvlan");
  const Nest data(message, IFLA_INFO_DATA);
  put_u16(message, IFLA_IPVLAN_MODE, static_cast<std::uint16_t>(mode));
}

void add_vlan(Batch& batch, const LinkSpec& spec, std::uint16_t vlan_id) {
  nl_msg* message = start(batch, spec, "vlan");
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_KIND, "vlan");
  const Nest data(message, IFLA_INFO_DATA);
  put_u16(message, IFLA_VLAN_ID, vlan_id);
}

void add_dummy(Batch& batch, const LinkSpec& spec) {
  nl_msg* message = start(batch, spec, "dummy");
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_KIND, "dummy");
}

void add_ifb(Batch& batch, const LinkSpec& spec, const std::string& alias) {
  nl_msg* message = start(batch, spec, "ifb");
  put_u32(message, IFLA_TXQLEN, 0);
  {
    const Nest info(message, IFLA_LINKINFO);
    put_text(message, IFLA_INFO_KIND, "ifb");
  }
  // Of a link that it makes the kernel reads no alias.
  message = batch.add(RTM_NEWLINK, 0, fmt::format("set alias of {}", spec.name));
  put_header<ifinfomsg>(message);
  put_name(message, IFLA_IFNAME, spec.name);
  put_bytes(message, IFLA_IFALIAS, alias.size(), alias.data());
}

void add_vrf(Batch& batch, const LinkSpec& spec, std::uint32_t table) {
  nl_msg* message = start(batch, spec, "vrf");
  put_up(message);
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_KIND, "vrf");
  const Nest data(message, IFLA_INFO_DATA);
  put_u32(message, IFLA_VRF_TABLE, table);
}

bool knows_link_kind(Netlink& netlink, const std::string& kind) {
  Question question(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  nl_msg* request = question.message();
  put_header<ifinfomsg>(request);
  constexpr std::array<std::uint8_t, 6> kMulticast{1};
  put_mac(request, IFLA_ADDRESS, Mac(kMulticast));
  {
    const Nest info(request, IFLA_LINKINFO);
    put_text(request, IFLA_INFO_KIND, kind);
  }
  const int error = netlink.ask(request, {});
  if (error == EADDRNOTAVAIL) return true;
  if (error == EOPNOTSUPP) return false;
  throw system_error(error, "ask for link kind " + kind);
}

LinkKindData get_kind_data(Netlink& netlink, const std::string& name) {
  Question question(RTM_GETLINK);
  nl_msg* request = question.message();
  put_header<ifinfomsg>(request);
  put_name(request, IFLA_IFNAME, name);
  put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  LinkKindData result;
  const auto parse = [&result](const nlattr* info) {
    std::string kind;
    const nlattr* data = nullptr;
    for_each_attribute(info, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == IFLA_INFO_KIND) kind = text_of(attribute);
      if (type == IFLA_INFO_DATA) data = attribute;
    });
    if (data == nullptr) return;
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* attribute) {
      if (kind == "macvlan" && type == IFLA_MACVLAN_MODE) {
        result.macvlan_mode = static_cast<MacvlanMode>(value_of<std::uint32_t>(attribute));
      } else if (kind == "ipvlan" && type == IFLA_IPVLAN_MODE) {
        result.ipvlan_mode = static_cast<IpvlanMode>(value_of<std::uint16_t>(attribute));
      } else if (kind == "vlan" && type == IFLA_VLAN_ID) {
        result.vlan_id = value_of<std::uint16_t>(attribute);
      } else if (kind == "vrf" && type == IFLA_VRF_TABLE) {
        result.vrf_table = value_of<std::uint32_t>(attribute);
      }
    });
  };
  const int error = netlink.ask(request, [&](const nlmsghdr* message) {
    for_each_attribute(message, sizeof(ifinfomsg), [&](std::uint16_t type, const nlattr* each) {
      if (type == IFLA_LINKINFO) parse(each);
    });
  });
  if (error != 0 && error != ENODEV) throw system_error(error, "look up link " + name);
  return result;
}

const char* kernel_module_of(const std::string& kind) {
  if (kind == "vlan") return "8021q";
  if (kind == "macvlan") return "macvlan";
  if (kind == "ipvlan") return "ipvlan";
  if (kind == "ifb") return "ifb";
  if (kind == "vrf") return "vrf";
  return kind == "dummy" ? "dummy" : "";
}

}  // namespace unicni::net
