// A network as a person names it: a chain, or a file.
#pragma once

#include <string>

#include "compile/compile.h"
#include "protocol/network_list.h"

namespace unicni::unictl {

/// Whether a network is named as a chain is, not as a file.
bool is_chain(const std::string& network);

/// Error as Compiler::compile() has it.
protocol::NetworkList read_chain(const std::string& name, compile::Compiler& compiler);

/// `network` is the name of a chain, or, if it has a "/" or a ".", the path of a .conflist or
/// .conf. Error if there is none, or it can't be read.
protocol::NetworkList read_network(const std::string& network, compile::Compiler& compiler);

/// The version of a chain's results where its runtime says it. Of a chain that says none 1.0.0: it
/// has results for all that a chain can make, and runtimes that don't know 1.1.0 know it. A list
/// without a version has that of 0.1.0.
std::string version_of_chain(const protocol::NetworkList& list);

}  // namespace unicni::unictl
