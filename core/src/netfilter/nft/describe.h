// Keys of our sets for people: what CHECK and refusals say.
#pragma once

#include <string>

#include "unicni/netfilter/element.h"

namespace unicni::net {

/// "10.1.2.3 . 10.1.0.0", "veth1 . 02:00:00:00:00:01", "tcp port 8080" or, of
/// sets that this version doesn't know, hexadecimal bytes.
std::string describe_key(const NftElement& element);

}  // namespace unicni::net
