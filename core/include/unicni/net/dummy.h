// Links that lead nowhere.
#pragma once

#include "unicni/net/link_kind.h"

namespace unicni::net {

inline constexpr LinkKind kDummy{"dummy", "dummy"};

void add_dummy(Batch&, const LinkSpec&);

}  // namespace unicni::net
