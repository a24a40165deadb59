#include "ifb.h"

#include <fmt/core.h>

#include <cerrno>

#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/interface_entry.h"
#include "unicni/link_module.h"
#include "unicni/net/ifb.h"
#include "unicni/net/qdisc.h"
#include "unicni/net/sysctl.h"
#include "unicni/sha512.h"
#include "unicni/undo/host_link.h"

namespace unicni::bandwidth {

namespace {

constexpr const char* kKind = "ifb";

std::string name_from(const std::string& text) { return "bwp" + sha512_hex(text).substr(0, 12); }

/// Free, or freed from what an earlier ADD of this attachment left.
bool clear_name(const Call& call, Host& host, const std::string& name) {
  const auto link = net::find_link(host.host_links(), name);
  if (!link) return true;
  // The own name is a hash of the whole owner.
  const bool ours = link->alias == call.key.alias() ||
                    (call.key.may_be_cut_alias(link->alias) && name == own_name(call));
  if (link->kind != kKind || !ours) return false;
  net::remove_link(host.host_links(), link->index);
  return true;
}

/// nullopt: another ADD took the name since we looked.
std::optional<net::Link> create(const Call& call, Host& host, const std::string& name,
                                std::uint32_t mtu) {
  net::LinkSpec spec;
  spec.name = name;
  // Given, so that nobody (udev's MACAddressPolicy) sets another one after the result is out.
  spec.mac = Mac::random();
  spec.mtu = mtu;
  host.undo().announce(undo_host_link(name, kKind, call.key.alias()));
  net::Batch batch(host.host_links());
  net::add_ifb(batch, spec, call.key.alias());
  try {
    batch.commit();
  } catch (Error& error) {
    if (batch.error_of(0) == EEXIST) return std::nullopt;
    if (batch.error_of(0) == EOPNOTSUPP) {
      error.advise(fmt::format("install the kernel module {} and load it with modprobe",
                               net::kIfb.kernel_module));
    }
    throw;
  }
  net::switch_ipv6_off(name, host.container_netns());
  net::Link made;
  made.index = net::get_link_index(host.host_links(), name);
  made.name = name;
  made.kind = kKind;
  made.alias = call.key.alias();
  made.mac = *spec.mac;
  made.mtu = mtu;
  return made;
}

/// Of an ifb that the reference made, which has no alias.
bool is_recorded(const Call& call, Host& host, const net::Link& link) {
  if (call.prev_result && !call.prev_result->interfaces.empty()) {
    return find_interface(*call.prev_result, link.name, "") != nullptr;
  }
  const auto veth = find_host_veth(call, host);
  if (!veth) return true;
  return net::find_redirect(host.host_links(), *veth) == link.index;
}

}  // namespace

std::string shared_name(const Call& call) {
  return name_from(call.key.network + call.key.container_id);
}

std::string own_name(const Call& call) { return name_from(call.key.owner()); }

net::Link make_ifb(const Call& call, Host& host, std::uint32_t mtu) {
  for (const std::string& name : {shared_name(call), own_name(call)}) {
    if (!clear_name(call, host, name)) continue;
    if (auto made = create(call, host, name, mtu)) return *std::move(made);
  }
  const auto holder = net::find_link(host.host_links(), own_name(call));
  throw Error(
      Code::internal, fmt::format("link {} exists already", own_name(call)),
      fmt::format(
          "it is a {} link with alias \"{}\": delete it with `ip link del` if no container uses it",
          holder ? holder->kind : "", holder ? holder->alias : ""));
}

void sweep_ifbs(const Call& call, Host& host) {
  for (const std::string& name : {shared_name(call), own_name(call)}) {
    const auto link = net::find_link(host.host_links(), name);
    if (!link || link->kind != kKind) continue;
    const bool tells_nothing = link->alias.empty() || call.key.may_be_cut_alias(link->alias);
    const bool ours =
        tells_nothing ? is_recorded(call, host, *link) : link->alias == call.key.alias();
    if (ours) net::remove_link(host.host_links(), link->index);
  }
}

}  // namespace unicni::bandwidth
