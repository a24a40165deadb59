#include "config.h"

#include <linux/rtnetlink.h>

#include "unicni/error.h"
#include "unicni/link_options.h"

namespace unicni::vrf {

namespace {

constexpr Option kRows[] = {
    option<&VrfOptions::name>("vrfname",
                              "name of the VRF in the container; created if it doesn't exist")
        .must_be_given(),
    option<&VrfOptions::table>("table",
                               "routing table of the VRF; 0: for a new VRF the lowest free number, "
                               "for an existing one its own")
        .with_default("0"),
};

}  // namespace

constinit const OptionTable kVrfOptions = option_table<VrfOptions>(kRows);

void validate(const VrfOptions& options) {
  if (options.name.empty()) {
    throw Error(Code::invalid_config, "vrfname: configuration is expected to have a valid vrf name",
                "set \"vrfname\" to the name of a VRF for the interface");
  }
  require_link_name("vrfname", options.name);
}

std::uint32_t free_table(const std::set<std::uint32_t>& used) {
  std::uint32_t table = 1;
  while (used.contains(table) || (table >= RT_TABLE_DEFAULT && table <= RT_TABLE_LOCAL)) ++table;
  return table;
}

}  // namespace unicni::vrf
