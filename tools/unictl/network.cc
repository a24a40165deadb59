#include "network.h"

#include <fmt/core.h>

#include "base/given_file.h"
#include "chain/chain.h"
#include "policy/fields.h"
#include "settings/compiled.h"
#include "unicni/error.h"

namespace unicni::unictl {

bool is_chain(const std::string& network) {
  return network.find_first_of("/.") == std::string::npos;
}

protocol::NetworkList read_network(const std::string& network, compile::Compiler& compiler) {
  if (is_chain(network)) {
    const settings::Compiled chain = compiler.compile(settings::chain_subject(network));
    return protocol::parse_list(chain.body, "chain " + network);
  }
  const auto text = read_given_file(network, protocol::kListFileLimit);
  if (!text) {
    throw Error(Code::invalid_config, fmt::format("there is no file {}", network),
                "name a chain, or the path of a .conflist");
  }
  // One of type unicni may have "plugins", as a list has.
  if (!network.ends_with(".conflist")) {
    try {
      protocol::NetworkList plugin = protocol::parse_plugin(*text, network);
      if (plugin.members.front().type == chain::kChainType) return plugin;
    } catch (const Error&) {
      // a list, or what is no network at all
    }
  }
  return protocol::parse_network(*text, network);
}

std::string version_of_chain(const protocol::NetworkList& list) {
  const policy::Fields fields(list.text);
  const bool has_version =
      fields.find("cniVersion") != nullptr || fields.find("cniVersions") != nullptr;
  return has_version ? list.cni_version : "1.0.0";
}

}  // namespace unicni::unictl
