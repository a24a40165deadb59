// The options of ptp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/options.h"

namespace unicni::ptp {

struct PtpOptions {
  bool ip_masq = false;
  std::string ip_masq_backend;
  std::int64_t mtu = 0;
  DnsOptions dns;
};

extern const OptionTable kPtpOptions;

/// What single rows can't say. Throws Error(invalid_config).
void validate(const PtpOptions& options);

}  // namespace unicni::ptp
