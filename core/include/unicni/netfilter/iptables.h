// The programs of iptables(8), which backends "iptables" run.
#pragma once

namespace unicni::net {

/// STATUS: throws Error (Code::not_available) if one of the programs that backends "iptables" run
/// isn't installed, naming the package and the alternative.
void require_iptables();

}  // namespace unicni::net
