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
/// "CNI-DN-" + 21 of these digits: portmap's chain in table nat.
std::string reference_dnat_chain(const std::string& network, const std::string& container_id);
/// "CNI-SN-" + the same: a second one, of old versions.
std::string reference_snat_chain(const std::string& network, const std::string& container_id);
/// `dnat name: "<network>" id: "<container>"`: on the rules that lead to it. As iptables stores it:
/// 255 bytes at most, of which the last two are dots if there were more.
std::string reference_dnat_comment(const std::string& network, const std::string& container_id);
/// The chains of the spoof check in table `bridge nat`.
struct ReferenceSpoofCheck {
  std::string interface_chain;  ///< jumped to from PREROUTING, jumps to mac_chain
  std::string mac_chain;
};
ReferenceSpoofCheck reference_spoof_check(const std::string& container_id,
                                          const std::string& if_name);

}  // namespace unicni::net
