#include "unicni/net/device.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr std::size_t kLongestName = 15;  // IFNAMSIZ - 1

/// dev_valid_name()
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kLongestName && text != "." && text != ".." &&
         text.find_first_of("/: \t\n\v\f\r%") == std::string::npos;
}

/// What no program can change. Two virtual links of one kind are alike in all of this, so for them
/// more is asked.
bool is_same_thing(const Link& link, const Link& was) {
  return link.kind == was.kind && link.parent_bus == was.parent_bus && link.parent == was.parent &&
         link.permanent_mac == was.permanent_mac;
}

/// ADD makes the name on the host the link's alias. It survives a move between namespaces, unlike
/// the name.
bool is_marked(const Link& link, const Device& device) { return link.alias == device.was.name; }

bool has_mac(const Link& link, const Device& device) {
  return !device.was.mac.is_zero() && link.mac == device.was.mac;
}

/// A permanent MAC is burnt in and thus proof. For virtual links the alias or the MAC must agree,
/// either of which the container may have changed, or the index as a last resort.
bool is_device_inside(const Link& link, const Device& device) {
  const Link& was = device.was;
  if (!is_same_thing(link, was)) return false;
  if (was.permanent_mac || is_marked(link, device) || has_mac(link, device)) return true;
  if (device.inside_index != 0) return link.index == device.inside_index;
  // Another link may have had its index there, and the device got a new one.
  return link.index == was.index && link.name == device.if_name;
}

/// On the host a name is worth more than in the container: other programs find their links by it
/// and don't give it away.
bool is_device_at_home(const Link& link, const Device& device) {
  const Link& was = device.was;
  if (!is_same_thing(link, was)) return false;
  if (was.permanent_mac || is_marked(link, device)) return true;
  return link.index == was.index && (link.name == was.name || has_mac(link, device));
}

/// By what costs one question first. The index before the name, which another link may have got.
template <class Is>
std::optional<Link> find(Netlink& links, const Device& device, const std::string& likely_name,
                         const Is& is) {
  for (const int index : {device.inside_index, device.was.index}) {
    auto link = find_link(links, index);
    if (link && is(*link, device)) return link;
  }
  auto link = find_link(links, likely_name);
  if (link && is(*link, device)) return link;
  for (Link& each : list_links(links)) {
    if (is(each, device)) return std::move(each);
  }
  return std::nullopt;
}

/// The old name, or the first free one made of it.
std::string free_name(Netlink& host, const std::string& wanted, int own_index) {
  constexpr int kMost = 999;
  std::string name = wanted;
  for (int i = 2; i <= kMost; ++i) {
    const auto holder = find_link(host, name);
    if (!holder || holder->index == own_index) return name;
    const std::string suffix = fmt::format("-{}", i);
    name = wanted.substr(0, kLongestName - suffix.size()) + suffix;
  }
  throw Error(Code::internal, fmt::format("no name for {} is free on the host", wanted),
              "delete or rename links on the host to free a name");
}

/// Message by message, so that what a driver refuses keeps nothing else from being put back. The
/// alias is the last: while it is the mark, there is something to do.
void put_back(Netlink& host, const Link& link, const std::string& name, const Link& was) {
  Batch batch(host);
  const auto put = [&](auto LinkChange::*setting, const auto& value) {
    LinkChange change;
    change.*setting = value;
    change_link(batch, {link.index, name}, change);
  };
  const bool renames = link.name != name;
  const bool changes_mac = link.mac != was.mac && !was.mac.is_zero();
  // Before Linux 6.2 a link that is UP can't be renamed, and many drivers refuse a new MAC.
  const bool goes_down = link.up && (renames || changes_mac);
  if (goes_down) put(&LinkChange::up, false);
  if (renames) rename_link(batch, link, name);
  if (changes_mac) put(&LinkChange::mac, was.mac);
  if (link.mtu != was.mtu && was.mtu != 0) put(&LinkChange::mtu, was.mtu);
  if (link.promisc != was.promisc) put(&LinkChange::promisc, was.promisc);
  if (was.up != (link.up && !goes_down)) put(&LinkChange::up, was.up);
  if (link.alias != was.alias) put(&LinkChange::alias, was.alias);
  if (!batch.empty()) batch.commit();
}

/// What fails twice a driver doesn't do: that is told once, and no later verb tries it again.
void restore(Netlink& host, const Link& link, const std::string& name, const Link& was) {
  try {
    put_back(host, link, name, was);
  } catch (const Error&) {
    const auto now = find_link(host, link.index);
    if (!now) throw;
    put_back(host, *now, name, was);
  }
}

}  // namespace

/// The kernel moves hardware to the initial namespace when its own ends. Virtual links end with
/// their namespace.
bool is_hardware(const Link& link) {
  return link.kind.empty() && (!link.parent.empty() || link.permanent_mac);
}

/// What is known where the journal was lost: the alias. The settings before ADD are gone, so the
/// link is returned down, as the reference plugin does.
Device marked_device(const Link& link, const std::string& otherwise) {
  Device device{link, link.name, 0, {}, {}};
  if (!otherwise.empty()) device.was.name = otherwise;
  if (is_name(link.alias)) device.was.name = link.alias;
  device.was.alias.clear();
  device.was.up = false;
  return device;
}

/// default_device_exit_net() in the kernel: a link whose name is taken in the initial namespace is
/// called dev<index>.
bool is_given_back(const Link& link, const std::string& if_name) {
  const bool numbered = link.name.starts_with("dev") && link.name.size() > 3 &&
                        link.name.find_first_not_of("0123456789", 3) == std::string::npos;
  return is_hardware(link) && (link.name == if_name || numbered);
}

void give_device(Batch& host, const Device& device, const Netns& container) {
  move_link(host, device.was, container, device.if_name, device.was.name);
}

std::optional<Link> find_device(Netlink& container, const Device& device) {
  return find(container, device, device.if_name, &is_device_inside);
}

std::optional<Link> find_device_at_home(Netlink& host, const Device& device) {
  return find(host, device, device.was.name, &is_device_at_home);
}

std::string bring_device_home(Netlink& from, const Link& link, Netlink& host,
                              const Netns& host_netns, const Device& device) {
  // It is on the host already: the kernel gave it back, or a verb was killed after the move. Only
  // name and settings are left to do.
  if (from.identity() == host.identity()) {
    const std::string name = free_name(host, device.was.name, link.index);
    restore(host, link, name, device.was);
    return name;
  }
  // Somebody may take the name or the index between the look and the move.
  constexpr int kPatience = 8;
  for (int i = 1;; ++i) {
    const std::string name = free_name(host, device.was.name, 0);
    Batch batch(from);
    // Marked anew, whatever it is inside: what a kill leaves now isn't restored yet.
    const bool index_is_free = !find_link(host, device.was.index);
    move_link(batch, link, host_netns, name, device.was.name, index_is_free ? device.was.index : 0);
    std::optional<Link> arrived;
    try {
      batch.commit();
      arrived = get_link(host, name);
    } catch (const Error&) {
      // EEXIST: the name was taken meanwhile. EBUSY: the index was. Another round looks for free
      // ones.
      const int error = batch.error_of(0);
      if ((error != EEXIST && error != EBUSY) || i == kPatience) throw;
      if (find_link(from, link.index)) continue;
      arrived = find_device_at_home(host, device);
      if (!arrived) throw;
    }
    const std::string own = free_name(host, device.was.name, arrived->index);
    restore(host, *arrived, own, device.was);
    return own;
  }
}

/// The commands that give the device its old name, for the warning. It must be down for that before
/// Linux 6.2.
std::optional<std::string> clash_of(const Device& device, const std::string& name) {
  if (name == device.was.name) return std::nullopt;
  return fmt::format(
      "{} came home as {}, as another link has its name: rename that one, then "
      "\"ip link set {} down; ip link set {} name {}\"",
      device.was.name, name, name, name, device.was.name);
}

}  // namespace unicni::net
