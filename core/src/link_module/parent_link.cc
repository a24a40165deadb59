#include "unicni/parent_link.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <cerrno>

#include "unicni/error.h"
#include "unicni/interface_entry.h"
#include "unicni/link_options.h"
#include "unicni/net/link_kind.h"
#include "unicni/net/route.h"
#include "unicni/undo/container_link.h"

namespace unicni {

namespace {

/// With "linkInContainer" parent and interface are in one namespace, where an earlier plugin of the
/// list put the parent.
net::Netlink& links_of(Host& host, const ParentChoice& choice) {
  return choice.in_container ? host.container_links() : host.host_links();
}

const char* side_of(const ParentChoice& choice) {
  return choice.in_container ? "in the container's namespace" : "on this host";
}

/// One that neither namespace uses, beyond those that the kernel counts up to soon.
int free_index(Host& host) {
  constexpr unsigned kFirst = 0x8000;
  for (;;) {
    std::uint16_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) {
      throw system_error(errno, "getrandom for an ifindex");
    }
    const auto index = static_cast<int>(random | kFirst);
    if (!net::find_link(host.host_links(), index) &&
        !net::find_link(host.container_links(), index)) {
      return index;
    }
  }
}

/// The kernel has one errno for many reasons here, and mostly no text with it.
std::string advice_on(int error, const ChildLink& child, const net::Link& parent) {
  if (child.advice) {
    if (auto own = child.advice(error); !own.empty()) return own;
  }
  switch (error) {
    case EOPNOTSUPP:
      return fmt::format("does the kernel have {} links (modprobe {}), and can {} carry them?",
                         child.kind.name, child.kind.kernel_module, parent.name);
    case EBUSY:
      return fmt::format(
          "{} gives its packets to somebody else: a bridge, a bond, or links of another kind than "
          "{}",
          parent.name, child.kind.name);
    case EINVAL:
      return fmt::format("{} must be an Ethernet link and no loopback", parent.name);
    default:
      return {};
  }
}

/// Returned instead of thrown, as one failure has a second try.
std::optional<Error> create(net::Batch& batch, const ChildLink& child, const net::LinkSpec& spec) {
  child.put(batch, spec);
  try {
    batch.commit();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace

void require_valid(const ParentChoice& choice) {
  if (!choice.master.empty()) require_link_name("master", choice.master);
  require_mtu_range("mtu", choice.mtu);
}

net::Link get_parent(Host& host, const ParentChoice& choice) {
  net::Netlink& links = links_of(host, choice);
  if (!choice.master.empty()) {
    if (auto parent = net::find_link(links, choice.master)) return *std::move(parent);
    throw Error(Code::internal,
                fmt::format("master {} doesn't exist {}", choice.master, side_of(choice)),
                "name an existing link in \"master\"; with \"linkInContainer\" it is looked for in "
                "the container's namespace");
  }
  const auto index = net::find_default_link(links);
  auto parent = index ? net::find_link(links, *index) : std::nullopt;
  if (parent) return *std::move(parent);
  throw Error(Code::internal,
              fmt::format("master: no default route interface found {}", side_of(choice)),
              R"(name the link in the configuration: "master": "eth0")");
}

/// The kernel refuses a larger MTU with a bare EINVAL. The message is the reference's.
void require_mtu_within(const ParentChoice& choice, const net::Link& parent) {
  if (choice.mtu <= static_cast<std::int64_t>(parent.mtu)) return;
  throw Error(Code::invalid_config,
              fmt::format("invalid MTU {}, must be [0, master MTU({})]", choice.mtu, parent.mtu),
              fmt::format("set \"mtu\" to at most that of {}, or 0 to take it over", parent.name));
}

void require_up(const net::Link& parent) {
  if (parent.up) return;
  throw Error(Code::internal, fmt::format("master {} is down", parent.name),
              fmt::format("ip link set {} up", parent.name));
}

/// STATUS asks what ADD would say of the parent, and answers with its own code. A parent inside a
/// container can't be asked for: STATUS has no container.
void require_available(const ParentChoice& choice, const std::function<void()>& refuse) {
  if (choice.in_container) return;
  try {
    refuse();
  } catch (const Error& error) {
    throw Error(Code::not_available, error.msg(), error.details());
  }
}

MadeLink create_on_parent(LinkAdd& add, const ParentChoice& choice, const net::Link& parent,
                          const ChildLink& child) {
  Host& host = add.host;
  net::LinkSpec spec;
  spec.name = add.call.key.if_name;
  spec.mac = child.mac;
  spec.mtu = static_cast<std::uint32_t>(choice.mtu);
  spec.parent = parent;
  if (!choice.in_container) spec.netns = host.container_netns();
  if (!parent.up) {
    host.log(LogLevel::warning, fmt::format("master {} is down: {} has no carrier until `ip link "
                                            "set {} up`",
                                            parent.name, spec.name, parent.name));
  }
  // Announced before it exists: a kill between the message and the next line must leave nothing.
  host.undo().announce(undo_container_link(spec.name, child.kind.name));
  net::Batch batch(links_of(host, choice));
  auto failure = create(batch, child, spec);
  // Of a kernel before 6.15 that may be the host's link of this name: see net::LinkSpec::index.
  if (failure && batch.error_of(0) == EEXIST && !choice.in_container &&
      net::find_link(host.host_links(), spec.name)) {
    spec.index = free_index(host);
    failure = create(batch, child, spec);
  }
  if (failure) {
    std::string details = failure->details();
    const std::string advice = advice_on(batch.error_of(0), child, parent);
    if (!details.empty() && !advice.empty()) details += "; ";
    throw failure->advise(details + advice);
  }
  MadeLink made = get_made_link(add);
  made.heard_when_up = true;
  return made;
}

/// IFLA_LINK is an index of the parent's namespace. The kernel reports an id of that namespace with
/// it if and only if it is another one.
bool hangs_on_parent(Host& host, const ParentChoice& choice, const net::Link& container) {
  if (container.link_netnsid.has_value() == choice.in_container) return false;
  net::Netlink& links = links_of(host, choice);
  const auto parent = choice.master.empty() ? net::find_link(links, container.iflink)
                                            : net::find_link(links, choice.master);
  return parent && parent->index == container.iflink;
}

void check_parent(Host& host, const ParentChoice& choice, const net::Link& container) {
  if (!hangs_on_parent(host, choice, container)) {
    throw Error(Code::internal,
                choice.master.empty()
                    ? fmt::format("the parent of {} is not {}", container.name, side_of(choice))
                    : fmt::format("the parent of {} is not {} {}", container.name, choice.master,
                                  side_of(choice)),
                "the attachment is broken: DEL and ADD it again");
  }
  require_mtu(choice.mtu, container);
}

}  // namespace unicni
