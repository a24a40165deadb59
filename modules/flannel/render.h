// The delegate's configuration, as the reference writes it.
#pragma once

#include <optional>
#include <string>

#include "config.h"
#include "subnet_env.h"
#include "unicni/call.h"

namespace unicni::flannel {

/// "delegate" and "ipam" completed by what flanneld says. Without `env` (DEL, GC) as much of it as
/// can be said: no subnets, and a masquerade to look for.
std::string render(const Call& call, const FlannelOptions& options,
                   const std::optional<SubnetEnv>& env);

}  // namespace unicni::flannel
