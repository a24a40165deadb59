// What is known of this host's attachments from outside a verb: their journals, and the
// reservations of host-local.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/folders.h"
#include "unicni/ip.h"
#include "unicni/net/namespaces.h"
#include "unicni/sys/lock.h"
#include "unicni/undo.h"

namespace unicni {

/// Of which steps of an attachment: those whose ADD ended, or also those that are at it, or were
/// killed.
enum class Steps : unsigned char { finished, all };

/// Reads what others wrote, unlocked: a verb may be working on it. Cheap to make: nothing is read
/// before it is asked for.
class Attachments {
 public:
  /// `adding`: the attachment that an ADD or CHECK is about, as whose container's namespace is
  /// known to be the one of `namespaces`; nullopt for other verbs.
  Attachments(net::Namespaces& namespaces, std::optional<AttachmentKey> adding,
              Folders folders = {});

  /// Whether the attachment of an owner's text (AttachmentKey::owner() or comment()) is provably
  /// gone: it has no journal entry of this boot and host, or one whose container namespace is gone.
  /// That a process's path to it leads nowhere any more is proof only if has_host_end() is false.
  /// False where that can't be known.
  [[nodiscard]] bool is_gone(const std::string& owner);
  /// Whether a veth of this host is the other end of the attachment's interface: the surest sign of
  /// life, as the kernel deletes it with the container's namespace. Lists the host's links.
  [[nodiscard]] bool has_host_end(const std::string& owner);
  /// is_gone() of all attachments of a container to a network. False if there is no journal: then
  /// it may be another program's.
  [[nodiscard]] bool is_container_gone(const std::string& network, const std::string& container_id);
  /// Whether `address` is reserved for `owner`, in host-local's default folder, by whatever network
  /// (of several that have it, by one). nullopt: it is reserved for nobody.
  [[nodiscard]] std::optional<bool> is_reserved_for(const Attachment& owner,
                                                    const IpAddress& address) const;

  /// A record and who announced it.
  struct Announced {
    AttachmentKey by;
    Undo record;
  };
  /// Records of `type` that the journals of this host's attachments hold: to see what others need,
  /// and to restore what another program forgot. Reads one journal after the other until it has
  /// `most`.
  [[nodiscard]] std::vector<Announced> list_records(
      std::string_view type, Steps steps, std::size_t most = static_cast<std::size_t>(-1));
  /// Those of one attachment: what its own ADD announced.
  [[nodiscard]] std::vector<Undo> list_records_of(const AttachmentKey& key,
                                                  std::string_view type) const;
  /// Those of the other attachments of `key`'s container to its network.
  [[nodiscard]] std::vector<Announced> list_records_of_siblings(const AttachmentKey& key,
                                                                std::string_view type);

  /// Whether a verb that changes it is at this attachment: ADD, DEL or GC. False where that can't
  /// be known.
  [[nodiscard]] bool is_at_work(const AttachmentKey& key) const;

  /// While it lives no other verb changes what attachments share on the host. `shared`: hold it
  /// from looking something up (a bridge, a free host port) until you use it; `exclusive`: while
  /// you look whether it is idle, and take it away. Short. nullopt: nobody else can be at it.
  /// Throws Error at `deadline`.
  [[nodiscard]] std::optional<sys::Lock> hold_shared_links(sys::LockMode mode,
                                                           Deadline deadline) const;

 private:
  net::Namespaces& namespaces_;
  std::optional<AttachmentKey> adding_;
  Folders folders_;
};

}  // namespace unicni
