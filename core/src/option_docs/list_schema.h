// JSON Schemas of the files that hold plugins of all types: chains and policies.
#pragma once

#include <span>
#include <string>

#include "unicni/options.h"

namespace unicni::option_docs {

/// A module whose own schema (schema.h) is the file <name>.json beside these.
struct SchemaModule {
  const char* name;
  bool is_ipam = false;
  const OptionTable* options = nullptr;  ///< nullptr: it has none
};

/// Of /etc/unicni/chains/NAME.yaml. Draft 2020-12, as all schemas.
std::string chain_schema(std::span<const SchemaModule> modules);
/// Of /etc/unicni/policy.d/*.yaml.
std::string policy_schema(std::span<const SchemaModule> modules);

}  // namespace unicni::option_docs
