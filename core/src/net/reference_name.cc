#include "net/reference_name.h"

#include <fmt/core.h>

#include "unicni/sha512.h"

namespace unicni::net {

std::string reference_masquerade_chain(const std::string& network,
                                       const std::string& container_id) {
  return "CNI-" + sha512_hex(network + container_id).substr(0, 24);
}

std::string reference_masquerade_comment(const std::string& network,
                                         const std::string& container_id) {
  return fmt::format(R"(name: "{}" id: "{}")", network, container_id);
}

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
