#include "config.h"

#include "unicni/link_options.h"
#include "unicni/masquerade.h"

namespace unicni::ptp {

namespace {

constexpr Option kRows[] = {
    option<&PtpOptions::ip_masq>(
        "ipMasq", "masquerade the container's connections to addresses outside its subnet")
        .with_default("false"),
    option<&PtpOptions::ip_masq_backend>(
        "ipMasqBackend", "where masquerade rules are kept; \"none\": nowhere, \"\": nftables")
        .with_choices(kMasqBackends)
        .with_default("nftables"),
    option<&PtpOptions::mtu>("mtu",
                             "MTU in bytes of both ends of the veth pair; 0: the kernel's default")
        .with_range(0, 65535)
        .with_default("0"),
    option<&PtpOptions::dns>("dns", "DNS settings for the result, in place of those from IPAM"),
};

}  // namespace

constinit const OptionTable kPtpOptions = option_table<PtpOptions>(kRows);

void validate(const PtpOptions& options) { require_mtu_range("mtu", options.mtu); }

}  // namespace unicni::ptp
