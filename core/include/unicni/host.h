// What core gives a module to work with during one verb.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/call.h"
#include "unicni/ip.h"
#include "unicni/net/netlink.h"
#include "unicni/net/netns.h"
#include "unicni/netfilter/nft.h"
#include "unicni/sys/lock.h"
#include "unicni/undo/records.h"

namespace unicni {

/// The step's IPAM: a module in this process, or a program found in CNI_PATH. Without "ipam.type"
/// all but `given()` throw.
class Ipam {
 public:
  virtual ~Ipam();
  [[nodiscard]] virtual bool given() const = 0;  ///< "ipam.type" is set
  /// True for IPAM that talks through the container's interface (dhcp): ask it after the link
  /// exists and is up.
  [[nodiscard]] virtual bool needs_link() const = 0;
  virtual Result add() = 0;  ///< addresses, routes, dns; undo is armed by core
  virtual void del() = 0;
  virtual void check() = 0;
  virtual void gc() = 0;
  virtual void status() = 0;
  /// DEL: the addresses that are reserved for this attachment now. nullopt: that can't be known, as
  /// the IPAM doesn't keep host-local's files.
  [[nodiscard]] virtual std::optional<std::vector<IpAddress>> held() = 0;
};

/// The plugin that a module gives its work to, as flannel does: an interface module in this
/// process, or a program found in CNI_PATH. It acts on the same attachment; its IPAM, its undo
/// records and its roll-back are core's care. Only modules of the trait "delegates" have one.
class Delegate {
 public:
  virtual ~Delegate();
  /// Takes the plugin's whole configuration (JSON, with "name" and "type") and validates it as if
  /// the runtime had sent it; call it before anything else, and before anything is changed. On DEL
  /// what is wrong there becomes a warning. Throws Error.
  virtual void configure(const std::string& config) = 0;
  /// Whether it is a module of ours, which needs less than a program to do its DEL.
  [[nodiscard]] virtual bool in_process() const = 0;
  virtual Result add() = 0;
  virtual void del() = 0;    ///< Error also if there is nothing that could do it
  virtual void check() = 0;  ///< with the call's prevResult
  virtual void gc() = 0;     ///< with the call's list of valid attachments
  virtual void status() = 0;
};

enum class LogLevel : unsigned char { debug, info, warning, error };

/// Of which steps of an attachment: those whose ADD ended, or also those that are at it, or were
/// killed.
enum class Steps : unsigned char { finished, all };

/// Handles are opened on first use and shared by the steps of a chain. A module never keeps them
/// beyond the call.
class Host {
 public:
  virtual ~Host();
  virtual net::Netlink& host_links() = 0;  ///< rtnetlink of the runtime's namespace
  virtual const net::Netns& host_netns() = 0;
  /// The container's namespace; nullptr if CNI_NETNS is empty, gone, or (DEL only) not the one that
  /// ADD saw. On ADD and CHECK it is never nullptr: those fail before the module is called.
  virtual const net::Netns* container_netns() = 0;
  virtual net::Netlink&
  container_links() = 0;        ///< rtnetlink there; Error if container_netns() is nullptr
  virtual net::Nft& nft() = 0;  ///< of the runtime's namespace
  virtual UndoLog& undo() = 0;
  /// While it lives no other verb removes a bridge for having no ports. Hold it from looking a
  /// shared link up until your port is on it, not longer.
  [[nodiscard]] virtual std::optional<sys::Lock> hold_shared_links() = 0;
  virtual Ipam& ipam() = 0;
  /// Whether the attachment of an element's owner text ("network/container/ifname") is provably
  /// gone: it has no journal entry of this boot and host, or one whose container namespace is gone.
  /// False where that can't be known.
  [[nodiscard]] virtual bool is_gone(const std::string& owner);
  /// One line on stderr; warnings once each.
  virtual void log(LogLevel level, std::string_view text) = 0;
  /// Whether an address is another attachment's than `owner`'s: by a reservation in host-local's
  /// default folder, of whatever network, or by the journal of one that has rules of iptables for
  /// it. For rules that name nobody but the address. False where that can't be known.
  [[nodiscard]] virtual bool is_anothers(const Attachment& owner, const IpAddress& address);
  /// is_gone() of all attachments of a container to a network. False if there is no journal: then
  /// it may be another program's.
  [[nodiscard]] virtual bool is_container_gone(const std::string& network,
                                               const std::string& container_id);
  /// Whether another attachment of the container to `network`, which isn't gone, has the chain of
  /// iptables that is named after both (net/iptables_ports.h).
  [[nodiscard]] virtual bool has_iptables_ports_of_sibling(const std::string& network,
                                                           const Attachment& owner);
  /// While it lives no other verb looks whether a host port is free in iptables. Short: it also
  /// keeps others from hold_shared_links().
  [[nodiscard]] virtual std::optional<sys::Lock> hold_host_ports();
  /// Records of `type` that the journals of this host's attachments hold: to see what others need,
  /// and to restore what another program forgot. Reads one journal after the other until it has
  /// `most`.
  [[nodiscard]] virtual std::vector<Undo> remembered(
      std::string_view type, Steps steps, std::size_t most = static_cast<std::size_t>(-1));
  virtual Delegate& delegate();
  /// Whether the journal of another attachment of the same container and network has announced the
  /// file `path` (undo_file()).
  [[nodiscard]] virtual bool is_file_of_sibling(const std::string& path);
};

}  // namespace unicni
