#include "unicni/netfilter/iptables.h"

#include "netfilter/iptables/program.h"
#include "unicni/error.h"

namespace unicni::net {

/// For STATUS, in its own code.
void require_iptables() {
  for (const Family family : {Family::v4, Family::v6}) {
    for (const char* verb : {"save", "restore"}) {
      try {
        require_iptables_program(family, IptablesFlavour::host, verb);
      } catch (const Error& error) {
        throw Error(Code::not_available, error.msg(), error.details());
      }
    }
  }
}

}  // namespace unicni::net
