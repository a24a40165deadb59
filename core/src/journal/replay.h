// Undoing records without the module that wrote them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unicni/error.h"
#include "unicni/host.h"

namespace unicni::journal {

enum class Why { failed_add, removal };  ///< removal: DEL and GC leave what is on_failure_only

/// What replay needs of its caller.
struct ReplayTools {
  Host& host;
  /// Runs a foreign delegate with CNI_COMMAND=DEL. Throws Error.
  std::function<void(const std::string& type, const std::string& program,
                     const std::string& request)>
      run_delegate;
  /// Releases an address of host-local (ipam::release_recorded). Throws Error.
  std::function<void(const Undo& record)> release_address = {};
  /// Takes a record that this program doesn't know, for a newer one; without it that is an error.
  std::function<void(const Undo& record)> keep = {};
  /// DEL: called with the attachment's nftables elements before they are removed.
  std::function<void(const std::vector<net::NftElement>& own)> restore_rules = {};
};

/// The elements that records of one step are about, as this version has them.
std::vector<net::NftElement> find_elements(const std::vector<Undo>& records);
/// The condition that a record is about; nullopt: it is about something else.
std::optional<net::NftCondition> find_condition(const Undo& record);

/// The addresses that a record's rules of firewall's backend iptables are for; none: it is about
/// something else.
std::vector<IpAddress> filtered_addresses(const Undo& record);

/// Undoes `records` from last to first. Every object is identified before it is touched (kind,
/// name, alias, owner, content): what isn't ours any more is left, what is gone already is fine.
/// Goes on past errors and returns them.
std::vector<Error> replay(const std::vector<Undo>& records, Why why, const ReplayTools& tools);

}  // namespace unicni::journal
