// A chain: the list of plugins that /etc/unicni/chains/NAME.yaml describes, the same model as a
// .conflist, in YAML, JSON or commented JSON. Keys of the list that begin with "x-" are a place for
// YAML's anchors: nobody reads them, and the JSON has none of them.
//
// What is read here becomes the JSON text that the executable reads; who keeps it compiled, and
// who looks whether the file may be trusted (module/trust.h), stands above this unit.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "document/finding.h"
#include "protocol/network_list.h"
#include "unicni/options.h"

namespace unicni::document {

/// The options of a type that a chain names. Of a type without such an entry nobody knows the
/// options: a program of another maker, say.
struct TypeOptions {
  std::string type;  ///< as the chain writes it
  bool is_ipam = false;
  const OptionTable* options = nullptr;  ///< nullptr: it has none
};

/// The types that the chain's plugins and their "ipam" name, each once, in the order of the file:
/// whose options to look for. What is no chain names none.
struct NamedTypes {
  std::vector<std::string> plugins;
  std::vector<std::string> ipams;
};
NamedTypes types_in(const Document& document);
/// Each object with a "type": those of "plugins", also of lists in the list, and the document's
/// own.
void for_each_plugin(const Node& node, const std::function<void(const Node&)>& visit);

struct TypedChain {
  std::string json;  ///< for protocol::parse_list(); nonsense if a finding is a wrong value
  std::vector<Finding> findings;  ///< in the order of the file
};
/// All that can be said of a chain that must have the name `name`, in one pass: for a linter.
TypedChain type_chain(const Document& document, std::string_view name,
                      std::span<const TypeOptions> types);

/// One plugin object alone, as files had it before spec 1.0.0; also one of type "unicni" with its
/// list. Never a chain.
bool is_single_plugin(const Document& document);
/// The same of such a file. The JSON is for protocol::parse_plugin().
TypedChain type_plugin(const Document& document, std::span<const TypeOptions> types);

/// The chain, for a verb. Error(invalid_config) for the first wrong value, with its place; all
/// other findings are among the list's warnings.
protocol::NetworkList read_chain(const Document& document, std::string_view name,
                                 std::span<const TypeOptions> types);

/// Error(invalid_config) for a name that no network, or no file, can have.
void require_chain_name(const std::string& name);
/// <folder>/NAME.yaml. Error(invalid_config): a name that no network can have (so no "/" and no
/// ".."), or no such file, with the nearest name and those that there are. Error(decode): what the
/// file holds can't be read.
Document read_chain_file(const std::string& folder, const std::string& name);
/// Whether somebody might take a file of this name for a chain: *.yml and other letter cases.
bool is_nearly_chain(std::string_view name);
/// The names of all chains of the folder, sorted; files with other names are passed over.
std::vector<std::string> list_chains(const std::string& folder);

}  // namespace unicni::document
