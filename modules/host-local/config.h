// What host-local can be told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"
#include "unicni/ipam/range.h"
#include "unicni/options.h"
#include "unicni/result.h"

namespace unicni::host_local {

struct HostLocalOptions {
  std::vector<std::vector<ipam::RangeConfig>> ranges;
  // One range written flat; counts only with a subnet.
  std::optional<IpNet> subnet;
  std::optional<IpAddress> range_start;
  std::optional<IpAddress> range_end;
  std::optional<IpAddress> gateway;

  std::vector<std::string> exclude;
  std::int64_t quarantine = 0;  ///< seconds
  std::string sticky;

  std::vector<Route> routes;
  std::string data_dir;
  std::string resolv_conf;

  std::vector<std::vector<ipam::RangeConfig>> runtime_ranges;
  // Wanted addresses, "10.1.2.3" or "10.1.2.3/24".
  std::vector<std::string> runtime_ips;
  std::vector<std::string> args_ips;
  std::optional<std::string> cni_args_ip;
};

inline constexpr const char* kDefaultDataDir = "/var/lib/cni/networks";

extern const OptionTable kHostLocalOptions;

}  // namespace unicni::host_local
