#include "netfilter/nft/owned.h"

#include <fmt/core.h>

namespace unicni::net {

const char* require_nft_name(const std::string& name) {
  if (is_nft_name(name)) return name.c_str();
  throw Error(
      Code::invalid_config,
      fmt::format("no nftables chain, set or table can have a name of {} bytes", name.size()),
      fmt::format("1 to {} bytes", NFT_NAME_MAXLEN - 1));
}

}  // namespace unicni::net
