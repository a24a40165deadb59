// Addresses from literals: a wrong one is an exception, which fails the test.
#pragma once

#include <string_view>

#include "unicni/ip.h"

namespace unicni {

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline IpNet ip_net(std::string_view text) { return IpNet::parse(text).value(); }

}  // namespace unicni
