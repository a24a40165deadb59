#include "config.h"

namespace unicni::host_local {

namespace {

constexpr unsigned kAdd = static_cast<unsigned>(Command::add);

constexpr Option kRows[] = {
    option<&HostLocalOptions::ranges>(
        "ranges", "range sets, each a list of ranges; ADD allocates one address from each set"),
    option<&HostLocalOptions::subnet>(
        "subnet", "subnet of a range that forms a range set of its own, ahead of \"ranges\""),
    option<&HostLocalOptions::range_start>("rangeStart",
                                           "first address to allocate from \"subnet\""),
    option<&HostLocalOptions::range_end>("rangeEnd", "last address to allocate from \"subnet\""),
    option<&HostLocalOptions::gateway>(
        "gateway", "gateway to return for addresses from \"subnet\"; never allocated"),
    option<&HostLocalOptions::exclude>(
        "exclude", "addresses, subnets or first-last ranges that are never allocated"),
    option<&HostLocalOptions::quarantine>(
        "quarantine", "seconds before a released address is allocated to another container")
        .with_default("0")
        .with_range(0, 31'536'000),
    option<&HostLocalOptions::sticky>(
        "sticky",
        "template over CNI_ARGS, such as \"${K8S_POD_NAMESPACE}/${K8S_POD_NAME}\": an attachment "
        "gets the address that was last allocated for an equal text, unless it is in use")
        .used_by(kAdd),
    option<&HostLocalOptions::routes>("routes", "routes to return in the result, unchanged")
        .used_by(kAdd),
    option<&HostLocalOptions::data_dir>(
        "dataDir",
        "absolute path of the folder that holds a folder of reservations for each network")
        .with_default("/var/lib/cni/networks"),
    option<&HostLocalOptions::resolv_conf>(
        "resolvConf", "absolute path of a resolv.conf(5) file to return as DNS settings")
        .used_by(kAdd),
    option<&HostLocalOptions::runtime_ranges>(
        "ipRanges", "range sets to use ahead of all configured ones (capability \"ipRanges\")")
        .from(OptionSource::runtime_config),
    option<&HostLocalOptions::runtime_ips>(
        "ips", "addresses to allocate, with or without prefix length (capability \"ips\")")
        .from(OptionSource::runtime_config)
        .used_by(kAdd),
    option<&HostLocalOptions::args_ips>("ips",
                                        "addresses to allocate, with or without prefix length")
        .from(OptionSource::args_cni)
        .used_by(kAdd),
    option<&HostLocalOptions::cni_args_ip>("IP",
                                           "address to allocate, with or without prefix length")
        .from(OptionSource::cni_args)
        .exact_case()
        .used_by(kAdd),
};

}  // namespace

constinit const OptionTable kHostLocalOptions = option_table<HostLocalOptions>(kRows);

}  // namespace unicni::host_local
