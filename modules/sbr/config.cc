#include "config.h"

#include <fmt/core.h>

#include <limits>

#include "unicni/error.h"

namespace unicni::sbr {

namespace {

constexpr Option kRows[] = {
    option<&SbrOptions::table>(
        "table",
        "routing table, with routes of your own, that rules for the interface's addresses lead to; "
        "absent: sbr makes a table for each address")
        .with_range(1, std::numeric_limits<std::uint32_t>::max()),
    option<&SbrOptions::gateways>("gateways",
                                  "gateways of the default routes, at most one IPv4 and one IPv6; "
                                  "absent: those that prevResult gives"),
    option<&SbrOptions::add_source_hints>("addSourceHints",
                                          "keep the route to each address's subnet in the main "
                                          "table, with the address as its preferred source")
        .with_default("false"),
};

}  // namespace

constinit const OptionTable kSbrOptions = option_table<SbrOptions>(kRows);

void validate(const SbrOptions& options) {
  const auto refuse = [](const std::string& why) {
    throw Error(Code::invalid_config, "gateways: " + why,
                "list at most one IPv4 and one IPv6 address in \"gateways\"");
  };
  const auto& gateways = options.gateways;
  if (gateways.size() > 2) {
    refuse(
        fmt::format("gateways list cannot contain more than 2 entries, not {}", gateways.size()));
  }
  if (gateways.size() == 2 && gateways[0].family() == gateways[1].family()) {
    refuse(fmt::format("gateways list contains multiple {} addresses: {} and {}",
                       gateways[0].is_v4() ? "IPv4" : "IPv6", gateways[0].str(),
                       gateways[1].str()));
  }
}

}  // namespace unicni::sbr
