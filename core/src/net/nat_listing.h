// What iptables-save(8) says of table nat.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/ip.h"

namespace unicni::net {

struct NatRule {
  std::string chain;
  std::string text;                      ///< behind "-A <chain> ", fit for "-D <chain> "
  std::string target;                    ///< of -j or -g
  std::optional<IpNet> source;           ///< -s
  std::optional<IpNet> destination;      ///< -d
  std::optional<IpNet> not_destination;  ///< ! -d
};

class NatListing {
 public:
  /// Lines that it doesn't understand are left out.
  explicit NatListing(std::string_view saved);

  [[nodiscard]] bool has_chain(std::string_view name) const;
  [[nodiscard]] const std::vector<NatRule>& rules() const noexcept { return rules_; }

 private:
  void add_rule(std::string_view line);
  std::vector<std::string> chains_;
  std::vector<NatRule> rules_;
};

}  // namespace unicni::net
