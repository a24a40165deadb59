// What a step that delegates would give away, for who looks before an ADD.
#pragma once

#include <optional>
#include <string>

#include "chain/request.h"
#include "chain/step.h"

namespace unicni::chain {

/// The configuration that the ADD of `step`, a module of the trait "delegates", gives its delegate.
/// The module's add() runs as far as Delegate::configure(), which comes before anything is changed
/// (unicni/host.h), on a host that has nothing to look at or to change. nullopt: it wants to see
/// the host first, or gives nothing away. Throws what add() throws before that.
std::optional<std::string> find_delegate_config(const Request& request, Step& step);

}  // namespace unicni::chain
