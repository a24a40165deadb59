// A lease as the daemon keeps it: a file for each attachment, so that whatever ends the daemon
// loses none. The verbs read it as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client_v4.h"
#include "lease_v6.h"
#include "place.h"
#include "unicni/attachment_key.h"
#include "unicni/line.h"
#include "unicni/result.h"

namespace unicni::dhcp {

struct Lease {
  AttachmentKey key;
  std::string socket;  ///< of the daemon whose it is
  Place place;
  Identity identity;
  Span probe{};
  std::uint32_t priority = 0;  ///< of its routes
  std::uint32_t link_mtu = 0;  ///< what the interface had before the lease; 0: unknown
  std::uint32_t mtu = 0;       ///< what ADD or a renewal gave it
  /// Renewals have changed routes or MTU, so that ADD's result doesn't say what they are: field
  /// "renewed", which core knows (unicni/undo/lease.h), as it does "mtu".
  bool renewed_routes = false;
  bool renewed_mtu = false;
  /// The grant is being applied to the interface, in place of this address if there was one: a
  /// daemon that finds it so begins that again.
  bool applying = false;
  std::optional<IpNet> replaced;
  std::string boot;  ///< times count from that one
  /// nullopt: it was lost, and the daemon asks for another one.
  std::optional<GrantV4> grant;
  std::optional<LeaseV6> v6;  ///< nullopt: it has none, and asks for none
  /// The IPv4 packet that gives the grant's address back, for a verb whose daemon hangs
  /// (core/src/undo/farewell.h); empty: there is no grant.
  Bytes farewell;
};

/// One line, "lease …". Its field "address" is known to core (unicni/undo/lease.h), which also says
/// where the files are.
std::string print_lease(const Lease& lease);
/// nullopt: the text is none, or damaged.
std::optional<Lease> parse_lease(std::string_view text);

/// The grant's fields alone, and back: what an answer to a verb has of it.
void add_grant(const GrantV4& grant, Line& line);
std::optional<GrantV4> read_grant(const Line& line);
void add_identity(const Identity& identity, Line& line);
std::optional<Identity> read_identity(const Line& line);

/// nullopt: there is none, or it can't be read, is damaged, or of an earlier boot.
std::optional<Lease> read_lease(const std::string& file);
/// Whether there is a file that is not its attachment's lease, of whatever boot, as this version
/// can read it.
bool is_damaged_lease(const std::string& file);
/// All in a folder that can be read; `problems` gets a sentence for each other file, and for a
/// folder that is none.
std::vector<Lease> read_leases(const std::string& folder,
                               std::vector<std::string>* problems = nullptr);
/// Whether something is in a file's place, be it a link to nothing, or a file in its folder's.
bool is_anything_at(const std::string& path);

/// Whether two paths lead to one file or folder.
bool is_same_file(const std::string& one, const std::string& other);
/// Whether two paths are of one socket, which needn't be there: /run is /var/run as well.
bool is_same_socket(const std::string& one, const std::string& other);

/// The addresses, routes and DNS settings of the CNI result.
Result result_of(const GrantV4& grant, std::uint32_t priority);
/// Option 26, if a link can have it.
std::optional<std::uint32_t> mtu_of(const GrantV4& grant);

}  // namespace unicni::dhcp
