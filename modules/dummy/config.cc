#include "config.h"

namespace unicni::dummy {

namespace {

constexpr Option kRows[] = {
    option<&DummyOptions::dns>("dns", "DNS settings for the result, in place of those from IPAM"),
};

}  // namespace

constinit const OptionTable kDummyOptions = option_table<DummyOptions>(kRows);

}  // namespace unicni::dummy
