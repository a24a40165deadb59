// Names that the Go reference plugins compute for an attachment's rules.
#pragma once

#include <string>

namespace unicni::net {

/// "CNI-" + 24 hex digits of sha512(network container): the masquerade's chain in table nat.
std::string reference_masquerade_chain(const std::string& network, const std::string& container_id);
/// `name: "<network>" id: "<container>"`: on each of its rules.
std::string reference_masquerade_comment(const std::string& network,
                                         const std::string& container_id);
/// What the comments of its rules in `inet cni_plugins_masquerade masq_checks` start with: 33
/// characters.
std::string reference_masquerade_instance(const std::string& network,
                                          const std::string& container_id,
                                          const std::string& if_name);
/// The chains of the spoof check in table `bridge nat`.
struct ReferenceSpoofCheck {
  std::string interface_chain;  ///< jumped to from PREROUTING, jumps to mac_chain
  std::string mac_chain;
};
ReferenceSpoofCheck reference_spoof_check(const std::string& container_id,
                                          const std::string& if_name);

}  // namespace unicni::net
