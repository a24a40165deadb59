// Whose link is it that DEL finds under the name of the attachment's? The path of a namespace is
// used again, as /proc/<pid>/ns/net is with the process id, and then leads into somebody else's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unicni/call.h"
#include "unicni/host.h"
#include "unicni/net/link.h"
#include "unicni/undo/iptables_firewall.h"

namespace unicni::link_module {

/// A link of the container's that has an address which is reserved for the attachment.
struct Living {
  net::Link link;
  IpAddress address;
};
/// The first of all links in the container's namespace but lo; `kind` nullptr: of any kind. nullopt
/// also if the IPAM can't tell what it holds. Host::ipam() must be given.
std::optional<Living> find_living(Host& host, const char* kind);
/// The first of `held` that is among `present`.
std::optional<IpAddress> find_on(const std::vector<IpNet>& present,
                                 const std::vector<IpAddress>& held);

/// Judged by what says most first: kind; the host end, which is on this host and has the
/// attachment as its alias (the reference's have none); the attachment as alias of the link itself;
/// MAC of prevResult, if the kind has MACs of its own; address that is reserved for the attachment,
/// which outweighs another MAC; address of prevResult; place. Of a link that an ADD left
/// unfinished, addresses say nothing: its place decides, and a veth whose host end isn't in use yet
/// is taken for ours.
class Ownership {
 public:
  /// `link` is CNI_IFNAME in the container's namespace, `addresses` are its own.
  Ownership(const Call& call, Host& host, const net::Link& link,
            const std::vector<IpNet>& addresses)
      : call_(call), host_(host), link_(link), addresses_(addresses) {}

  /// Whether it has addresses, and none of them is reserved for the attachment: it has passed into
  /// other hands. False if that can't be known.
  [[nodiscard]] bool is_anothers() const;
  /// Why it must not be deleted, as the end of a sentence about it; nullopt: it is ours. `kind`
  /// nullptr: any, and what is at the other end of a veth says nothing.
  [[nodiscard]] std::optional<std::string> why_not_ours(
      const char* kind, const std::function<bool(const net::Link* host_end)>& is_in_place) const;
  /// The same as an answer; a warning tells why the link is left alone.
  [[nodiscard]] bool is_ours_or_warn(
      const char* kind, const std::function<bool(const net::Link* host_end)>& is_in_place) const;

 private:
  [[nodiscard]] std::optional<Mac> recorded_mac() const;
  [[nodiscard]] bool has(const IpAddress& address) const;
  [[nodiscard]] bool has_recorded_address() const;
  [[nodiscard]] bool is_unfinished() const;
  [[nodiscard]] bool is_unused(const net::Link& host_end) const;

  const Call& call_;
  Host& host_;
  const net::Link& link_;
  const std::vector<IpNet>& addresses_;
};

}  // namespace unicni::link_module
