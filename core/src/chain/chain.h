// The order of work of every verb: plan, validate all, act forward (ADD, CHECK) or backward (DEL,
// roll-back).
#pragma once

#include "chain/request.h"
#include "protocol/plugin_fields.h"

namespace unicni::chain {

/// The name of the executable itself, under which it runs lists.
inline constexpr const char* kChainType = protocol::kListType;

/// "name" of the configuration is there and legal; only the module loopback may lack it, below
/// 0.4.0. Throws Error(invalid_config).
void require_network_name(const protocol::Netconf& netconf, const std::string& module);

/// Runs the verb of `request` (VERSION excepted). Returns normally for success; throws the one
/// Error that stdout gets.
void run(const Request& request, Caller& caller);

}  // namespace unicni::chain
