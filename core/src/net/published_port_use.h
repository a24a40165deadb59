// Whether anybody needs what published ports share.
#pragma once

#include "unicni/net/published_port.h"

namespace unicni::net {

/// has_published_ports() by sockets that are closed with `nft`, not before: after a deletion each
/// close waits for the kernel's grace period.
bool has_published_ports(Nft& nft, Family family);

}  // namespace unicni::net
