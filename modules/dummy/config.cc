#include "config.h"

namespace unicni::dummy {

namespace {

constexpr Option kRows[] = {
    option<&DummyOptions::dns>("dns", "DNS settings of the result; replaces IPAM's"),
};

}  // namespace

constinit const OptionTable kDummyOptions = option_table<DummyOptions>(kRows);

}  // namespace unicni::dummy
