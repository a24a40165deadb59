// What iptables-save(8) says of a table, and the words of its rules.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/ip.h"

namespace unicni::net {

/// A rule as iptables-save prints it, without "-A <chain>".
using IptablesWords = std::vector<std::string>;

struct IptablesRule {
  std::string chain;
  std::string text;                      ///< behind "-A <chain> ", fit for "-D <chain> "
  IptablesWords words;                   ///< the same, without quotes
  std::string target;                    ///< of -j or -g
  std::optional<IpNet> source;           ///< -s
  std::optional<IpNet> destination;      ///< -d
  std::optional<IpNet> not_destination;  ///< ! -d

  /// The word behind `option`; empty: it isn't there.
  [[nodiscard]] std::string_view value_of(std::string_view option) const;
};

class IptablesListing {
 public:
  /// Lines that it doesn't understand are left out.
  explicit IptablesListing(std::string_view saved);

  [[nodiscard]] bool has_chain(std::string_view name) const;
  [[nodiscard]] const std::vector<IptablesRule>& rules() const noexcept { return rules_; }
  /// Whether `chain` has exactly this rule.
  [[nodiscard]] bool has(std::string_view chain, const IptablesWords& words) const;
  /// How many rules of `chain` lead to `target`; of any chain if that is empty.
  [[nodiscard]] std::size_t count_jumps(std::string_view chain, std::string_view target) const;

 private:
  void add_rule(std::string_view line);
  std::vector<std::string> chains_;
  std::vector<IptablesRule> rules_;
};

/// For iptables-restore(8): "<verb> <chain> <words>\n", such as "-A" or "-I". Each word stays one
/// argument, whatever is in it. Throws Error if it has a line break or NUL, which the program can't
/// take.
std::string iptables_line(std::string_view verb, const std::string& chain,
                          const IptablesWords& words);

}  // namespace unicni::net
