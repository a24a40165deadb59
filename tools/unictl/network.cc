#include "network.h"

#include <fmt/core.h>

#include "settings/compiled.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::unictl {

bool is_chain(const std::string& network) {
  return network.find_first_of("/.") == std::string::npos;
}

protocol::NetworkList read_network(const std::string& network, compile::Compiler& compiler) {
  if (is_chain(network)) {
    const settings::Compiled chain = compiler.compile(settings::chain_subject(network));
    return protocol::parse_list(chain.body, "chain " + network);
  }
  const auto text = sys::read_file(network);
  if (!text) {
    throw Error(Code::invalid_config, fmt::format("there is no file {}", network),
                "name a chain, or the path of a .conflist");
  }
  return protocol::parse_network(*text, network);
}

}  // namespace unicni::unictl
