// The skeleton of interface modules: order of work, netns, IPAM, configuring the link, result,
// CHECK and DEL. A module (bridge, ptp, macvlan …) supplies the difference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/mac.h"
#include "unicni/module.h"
#include "unicni/net/addr.h"
#include "unicni/net/link.h"

namespace unicni {

/// What create_link() made.
struct MadeLink {
  net::LinkRef link = {};      ///< in the container; index 0: none, see has_link()
  Mac mac = {};                ///< zeros: it has none
  std::uint32_t mtu = 0;       ///< bytes; 0: unknown
  std::string pci_id = {};     ///< "pciID" of its entry in the result; empty: none
  net::LinkRef host_end = {};  ///< of a veth: the end on the host; index 0: there is none
  Mac host_mac = {};           ///< of that end
  /// Whoever shall learn the addresses hears what the link says at the moment when it goes UP, as
  /// no port of a bridge has to see a carrier first.
  bool heard_when_up = false;
};

/// What one ADD knows while it runs.
struct LinkAdd {
  const Call& call;
  Host& host;
  Result result;  ///< interfaces of the host by the module, the rest by the skeleton; routes may be
                  ///< added to
  MadeLink made = {};  ///< from create_link() on
};

/// What an interface module supplies. A base of its own, so that Module can grow at its end: behind
/// Module's methods in one table these would move, and core would call those of modules with an
/// older number at wrong places. It only grows at its end as well, and has no data.
class LinkHooks {
 protected:
  /// Whether the attachment is a link at all; false: a device that user space drives, of which the
  /// kernel knows nothing. Then only `result` is made, and CHECK looks at IPAM alone.
  [[nodiscard]] virtual bool has_link(const Call&) const { return true; }
  /// IFLA_INFO_KIND of the link in the container: DEL deletes CNI_IFNAME only if it is one, CHECK
  /// wants one. nullptr: any, as for a device that was moved there.
  [[nodiscard]] virtual const char* container_kind() const = 0;
  /// Whether ADD, CHECK and STATUS are refused without "ipam".
  [[nodiscard]] virtual bool needs_ipam() const { return false; }
  /// ADD without "ipam": addresses and routes from elsewhere, such as prevResult. nullopt: none,
  /// the interface is layer 2.
  [[nodiscard]] virtual std::optional<Result> addresses(const Call&) const { return std::nullopt; }
  /// Module's own refusals, before the kernel is touched.
  virtual void validate_options(const Call&) {}
  /// ADD, first of all: finds what the link needs on the host and refuses what can't work. Changes
  /// nothing.
  virtual void prepare(LinkAdd&) {}
  /// Gateways and routes that the module adds to IPAM's result. Not called without addresses.
  virtual void complete(LinkAdd&) {}
  /// Whether put_routes() makes every gateway reachable; else ADD refuses a route by a gateway that
  /// no address or earlier route of the result leads to.
  [[nodiscard]] virtual bool reaches_all_gateways() const { return false; }
  /// Makes the link in the container (not yet UP inside) and whatever it needs on the host, with
  /// the entries of that in the result; the entry of what it returns comes behind them.
  virtual MadeLink create_link(LinkAdd&) = 0;
  /// Changes to the container's link that go into the configuring batch, before UP; `up` is preset
  /// to true. With `arp_notify` neighbours are told the addresses after finish().
  virtual void tune_link(const LinkAdd&, net::LinkChange&) {}
  /// CHECK: whether the link in the container must be UP.
  [[nodiscard]] virtual bool is_up(const Call&) const { return true; }
  /// Whether the kernel may probe IPv6 addresses for duplicates; skipped by default, IPAM's are
  /// unique. With Dad::kernel ADD waits for the kernel's verdict.
  [[nodiscard]] virtual net::Dad dad(const Call&) const { return net::Dad::skip; }
  /// The routes of the container's link, after finish(): those of the result, of which one without
  /// gateway takes that of its family's first address.
  virtual void put_routes(const LinkAdd&, net::Batch&);
  /// After the link is UP with its addresses: masquerade, gateway addresses on the host, routes to
  /// the container. The container's own routes come after it.
  virtual void finish(LinkAdd&) {}
  /// CHECK of everything but addresses and routes; `container` is CNI_IFNAME as the kernel has it.
  virtual void check_link(const Call&, Host&, const net::Link& container) = 0;
  /// DEL of a link that nothing names as this attachment's, neither alias nor prevResult nor a
  /// reservation: whether it is where this configuration puts one. `host_end`: the other end of a
  /// veth.
  [[nodiscard]] virtual bool is_in_place(const Call&, Host&, const net::Link& container,
                                         const net::Link* host_end) {
    (void)container;
    (void)host_end;
    return false;
  }
  /// DEL: the attachment's link in the container if something says so that core can't know; it may
  /// have another name than CNI_IFNAME. nullopt: CNI_IFNAME is judged as ever.
  [[nodiscard]] virtual std::optional<net::Link> recognise(const Call&, Host&) {
    return std::nullopt;
  }
  /// DEL: host state beyond the container's link; `addresses` are those that prevResult or the link
  /// itself still name.
  virtual void sweep(const Call&, Host&, const std::vector<IpNet>& addresses) { (void)addresses; }
  /// DEL: takes away the link in the container, which was found to be this attachment's.
  virtual void remove(const Call&, Host&, const net::Link& container);
  /// "dns" of the configuration, which replaces IPAM's in the result; nullopt: IPAM's stays.
  [[nodiscard]] virtual std::optional<Dns> dns(const Call&) const = 0;

  ~LinkHooks() = default;
};

/// ADD: prepare() → IPAM → complete() → create_link() → addresses and UP in one batch → finish() →
/// routes and the announcement to neighbours in another. IPAM that needs the link
/// (Ipam::needs_link) comes after create_link(). CHECK: IPAM → check_link() → addresses and routes
/// of prevResult against the kernel. DEL: what the journal didn't know: sweep(), the link, IPAM.
/// Every change is announced to Host::undo() before it is made.
class LinkModule : public Module, protected LinkHooks {
 public:
  void validate(const Call&) override;
  Result add(const Call&, Host&) override;
  void del(const Call&, Host&) override;
  void check(const Call&, Host&) override;
  void gc(const Call&, Host&) override;
  void status(const Call&, Host&) override;
};

/// The end of create_link() for a link that is in the container as CNI_IFNAME: what the kernel made
/// of it. Throws Error if it isn't there.
MadeLink get_made_link(LinkAdd&);

}  // namespace unicni
