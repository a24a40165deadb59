#include "config.h"

#include "unicni/link_options.h"
#include "unicni/masquerade.h"

namespace unicni::ptp {

namespace {

constexpr Option kRows[] = {
    option<&PtpOptions::ip_masq>("ipMasq", "masquerade what leaves the container's subnet")
        .with_default("false"),
    option<&PtpOptions::ip_masq_backend>("ipMasqBackend",
                                         "what holds the masquerade rules; \"\": nftables")
        .with_choices(kMasqBackends)
        .with_default("nftables"),
    option<&PtpOptions::mtu>("mtu", "MTU in bytes of both ends; 0: kernel's")
        .with_range(0, 65535)
        .with_default("0"),
    option<&PtpOptions::dns>("dns", "DNS settings of the result; replaces IPAM's"),
};

}  // namespace

constinit const OptionTable kPtpOptions = option_table<PtpOptions>(kRows);

void validate(const PtpOptions& options) { require_mtu_range("mtu", options.mtu); }

}  // namespace unicni::ptp
