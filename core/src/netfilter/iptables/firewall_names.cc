#include "netfilter/iptables/firewall_names.h"

namespace unicni::net {

std::vector<IptablesWords> firewall_rules_of(const IpAddress& address) {
  const std::string host = IpNet(address, address.bits()).str();
  return {{"-d", host, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"},
          {"-s", host, "-j", "ACCEPT"}};
}

}  // namespace unicni::net
