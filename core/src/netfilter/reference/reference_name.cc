// Names that the reference plugins compute for chains, comments and instances. They stand in the
// kernels of living hosts, so each must come out as there, byte for byte.
#include "netfilter/reference/reference_name.h"

#include <fmt/core.h>

#include "unicni/sha512.h"

namespace unicni::net {

std::string reference_masquerade_chain(const std::string& network,
                                       const std::string& container_id) {
  return "CNI-" + sha512_hex(network + container_id).substr(0, 24);
}

namespace {

/// What is left of the 28 bytes of a chain's name behind "CNI-DN-".
std::string short_hash(const std::string& network, const std::string& container_id) {
  return sha512_hex(network + container_id).substr(0, 21);
}

}  // namespace

std::string reference_dnat_chain(const std::string& network, const std::string& container_id) {
  return "CNI-DN-" + short_hash(network, container_id);
}

std::string reference_snat_chain(const std::string& network, const std::string& container_id) {
  return "CNI-SN-" + short_hash(network, container_id);
}

/// A long one is cut, as a comment of iptables has 255 bytes at most.
std::string reference_dnat_comment(const std::string& network, const std::string& container_id) {
  constexpr std::size_t kLimit = 255;
  std::string comment = fmt::format(R"(dnat name: "{}" id: "{}")", network, container_id);
  if (comment.size() > kLimit) comment = comment.substr(0, kLimit - 2) + "..";
  return comment;
}

std::string reference_masquerade_comment(const std::string& network,
                                         const std::string& container_id) {
  return fmt::format(R"(name: "{}" id: "{}")", network, container_id);
}

/// The nftables backend of the reference's masquerade: two hashes, so that the network can be told
/// by the first.
std::string reference_masquerade_instance(const std::string& network,
                                          const std::string& container_id,
                                          const std::string& if_name) {
  return sha512_hex(network).substr(0, 16) + '-' +
         sha512_hex(if_name + ':' + container_id).substr(0, 16);
}

ReferenceSpoofCheck reference_spoof_check(const std::string& container_id,
                                          const std::string& if_name) {
  const std::string chain = fmt::format("cni-br-iface-{}-{}", container_id, if_name);
  return {chain, chain + "-mac"};
}

}  // namespace unicni::net
