// Tables of iptables-legacy, which lives beside nftables in the kernel: netfilter_ipv4/ip_tables.h.
// Read without a program; all in the calling thread's namespace. None of these makes the table, as
// opening it with iptables-legacy would.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"

namespace unicni::net {

/// Microseconds.
bool has_legacy_table(Family family, const std::string& table);

/// What tells without reading a table that it was changed: nearly every change of rules changes it.
struct LegacySize {
  std::uint32_t entries = 0;
  std::uint32_t bytes = 0;
  friend bool operator==(const LegacySize&, const LegacySize&) = default;
};
/// nullopt: there is no such table. Its price doesn't depend on the number of rules.
std::optional<LegacySize> find_legacy_size(Family family, const char* table);

struct LegacyRule {
  std::string target;      ///< the chain that it jumps to, or goes to; else empty
  bool plain = false;      ///< it takes every packet
  std::uint32_t mark = 0;  ///< `-m mark --mark bits/bits` is all that it asks for; 0: it isn't
  std::string comment;     ///< of such a rule, behind the mark; may be empty
  bool accepts = false;    ///< -j ACCEPT
  bool may_drop = false;   ///< it ends a packet's way, or an extension that it hands it to may
};
struct LegacyChain {
  std::string name;
  std::vector<LegacyRule> rules;
  bool ends_with_drop = false;  ///< the policy
};
struct LegacyTable {
  LegacySize size;
  std::vector<LegacyChain> chains;
  [[nodiscard]] const LegacyChain* find(const std::string& name) const;  ///< nullptr: none
};
/// The whole table: 22 ms where it has 20,000 rules. nullopt: there is no such table. Throws Error.
std::optional<LegacyTable> read_legacy_table(Family family, const char* table);

/// True if `table` of that family has a chain of that name. Microseconds on a host without legacy
/// tables; else it fetches the table, 0.1 ms and more.
bool legacy_has_chain(Family family, const char* table, const std::string& chain);

}  // namespace unicni::net
