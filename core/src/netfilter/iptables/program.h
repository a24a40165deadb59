// Running iptables-save(8) and iptables-restore(8).
#pragma once

#include <string>
#include <string_view>

#include "base/services.h"
#include "unicni/call.h"
#include "unicni/ip.h"

namespace unicni::net {

/// Whose rules: the host's choice (`iptables`, one of the two others), those of the legacy tables,
/// or those in nftables.
enum class IptablesFlavour : unsigned char { host, legacy, nft };

/// Where `iptables-<verb>` of that family and flavour is: in the system's own folders only,
/// whatever PATH says. Throws Error if there is none, naming the package and the alternative.
std::string require_iptables_program(Family family, IptablesFlavour flavour, std::string_view verb);

/// What `iptables-save -t <table>` prints; the log of `services` hears what it has on stderr.
/// Throws Error: also if there is no such program.
std::string save_table(const Services& services, Family family, IptablesFlavour flavour,
                       const char* table, Deadline deadline);

/// Whether save_table() has a program.
bool can_save_table(Family family, IptablesFlavour flavour);

/// Whether restore_table() has a program.
bool can_restore_tables(Family family, IptablesFlavour flavour);

/// `iptables-restore --noflush` with `lines` for one table: all of them happen, or none. False: it
/// refused them, which a foreign change may have caused; `complaint` is what it said. The log of
/// `services` hears what it has on stderr if it did them.
bool restore_table(const Services& services, Family family, IptablesFlavour flavour,
                   const char* table, std::string_view lines, Deadline deadline,
                   std::string& complaint);

}  // namespace unicni::net
