// The order of work of every verb: plan, validate all, act forward (ADD, CHECK) or backward (DEL,
// roll-back).
#pragma once

#include "chain/request.h"

namespace unicni::chain {

/// "name" of the configuration is there and legal; only loopback below 0.4.0 may lack it. Throws
/// Error(invalid_config).
void require_network_name(const protocol::Netconf& netconf, const std::string& invoked_as);

/// Runs the verb of `request` (VERSION excepted). Returns normally for success; throws the one
/// Error that stdout gets.
void run(const Request& request, const Watch& watch, const Emit& emit);

}  // namespace unicni::chain
