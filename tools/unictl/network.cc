#include "network.h"

#include <fmt/core.h>

#include <filesystem>
#include <utility>

#include "base/given_file.h"
#include "chain/chain.h"
#include "policy/fields.h"
#include "protocol/network_folder.h"
#include "settings/compiled.h"
#include "unicni/error.h"

namespace unicni::unictl {

bool is_chain(const std::string& network) {
  return network.find_first_of("/.") == std::string::npos;
}

protocol::NetworkList read_chain(const std::string& name, compile::Compiler& compiler) {
  settings::Compiled chain = compiler.compile(settings::chain_subject(name));
  protocol::NetworkList list = protocol::parse_list(chain.body, "chain " + name);
  list.warnings = std::move(chain.warnings);
  return list;
}

protocol::NetworkList read_network(const std::string& network, compile::Compiler& compiler) {
  if (is_chain(network)) return read_chain(network, compiler);
  if (network.ends_with(".yaml")) {
    throw Error(Code::invalid_config, fmt::format("{} is no .conflist", network),
                fmt::format("a chain is named without its folder and extension: {}",
                            std::filesystem::path(network).stem().string()));
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
  protocol::NetworkList list = protocol::parse_network(*text, network);
  if (!list.only_inlined) protocol::require_network_name(list);
  protocol::add_drop_ins_of(list, network);
  return list;
}

std::string version_of_chain(const protocol::NetworkList& list) {
  const policy::Fields fields(list.text);
  const bool has_version =
      fields.find("cniVersion") != nullptr || fields.find("cniVersions") != nullptr;
  return has_version ? list.cni_version : "1.0.0";
}

}  // namespace unicni::unictl
