// The options of dummy.
#pragma once

#include <optional>

#include "unicni/options.h"

namespace unicni::dummy {

struct DummyOptions {
  DnsOptions dns;
};

extern const OptionTable kDummyOptions;

}  // namespace unicni::dummy
