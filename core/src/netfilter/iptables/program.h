// Running iptables-save(8) and iptables-restore(8).
#pragma once

#include <string>
#include <string_view>

#include "unicni/call.h"
#include "unicni/ip.h"
#include "unicni/log.h"

namespace unicni::net {

/// Whose rules: the host's choice (`iptables`, one of the two others), those of the legacy tables,
/// or those in nftables.
enum class IptablesFlavour : unsigned char { host, legacy, nft };

/// What `iptables-save -t <table>` prints. Programs come from the system's own folders only,
/// whatever PATH says; `log` (nullptr: nobody) hears what they print to stderr. Throws Error: also
/// if there is no such program, naming the package.
std::string save_table(Family family, IptablesFlavour flavour, const char* table, Deadline deadline,
                       LogSink* log = nullptr);

/// Whether restore_table() has a program.
bool can_restore_tables(Family family, IptablesFlavour flavour);

/// `iptables-restore --noflush` with `lines` for one table: all of them happen, or none. False: it
/// refused them, which a foreign change may have caused; `complaint` is what it said.
bool restore_table(Family family, IptablesFlavour flavour, const char* table,
                   std::string_view lines, Deadline deadline, std::string& complaint,
                   LogSink* log = nullptr);

}  // namespace unicni::net
