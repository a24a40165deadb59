// Conditions in nft(8)'s words on who may connect to published ports: "conditionsV4" and
// "conditionsV6" of portmap.
#pragma once

#include <string>

#include "unicni/ip.h"

namespace unicni::net {

/// A chain of one attachment's own that decides by nft(8)'s words which new connections its
/// published ports of one family take (published_port.h). Elements of verdict maps lead to it.
struct NftCondition {
  Family family = Family::v4;
  std::string chain;  ///< of the attachment and family alone
  std::string text;   ///< "ip saddr 192.0.2.0/24"
  std::string owner;
  friend bool operator==(const NftCondition&, const NftCondition&) = default;
};

/// The condition of an attachment's ports in one family. `text` is what nft(8) takes in a rule
/// before the verdict.
NftCondition port_condition(Family family, const std::string& text, const std::string& owner);
/// Throws Error (Code::invalid_config) with nft's words if `text` is no condition, before anything
/// is changed. Loads libnftables.
void require_condition(const NftCondition& condition);

}  // namespace unicni::net
