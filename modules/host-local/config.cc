#include "config.h"

namespace unicni::host_local {

namespace {

constexpr unsigned kAdd = static_cast<unsigned>(Command::add);

constexpr Option kRows[] = {
    option<&HostLocalOptions::ranges>(
        "ranges", "list of range sets, each a list of ranges; one address is given per set"),
    option<&HostLocalOptions::subnet>(
        "subnet", "one range written flat: comes before those of \"ranges\", as a set of its own"),
    option<&HostLocalOptions::range_start>("rangeStart",
                                           "of that range: first address to hand out"),
    option<&HostLocalOptions::range_end>("rangeEnd", "of that range: last address to hand out"),
    option<&HostLocalOptions::gateway>(
        "gateway", "of that range: gateway that containers are told, never handed out"),
    option<&HostLocalOptions::exclude>(
        "exclude", "what is never handed out: addresses, subnets, or first-last"),
    option<&HostLocalOptions::quarantine>(
        "quarantine", "seconds that a released address rests before somebody else gets it")
        .with_default("0")
        .with_range(0, 31'536'000),
    option<&HostLocalOptions::sticky>(
        "sticky",
        "template over CNI_ARGS, such as \"${K8S_POD_NAMESPACE}/${K8S_POD_NAME}\": who has the "
        "same text gets the same address again, as long as others are free for others")
        .used_by(kAdd),
    option<&HostLocalOptions::routes>("routes", "routes to return, as they are").used_by(kAdd),
    option<&HostLocalOptions::data_dir>(
        "dataDir", "absolute path of the folder that holds one folder a network")
        .with_default("/var/lib/cni/networks"),
    option<&HostLocalOptions::resolv_conf>("resolvConf",
                                           "absolute path of a resolv.conf(5) to return as dns")
        .used_by(kAdd),
    option<&HostLocalOptions::runtime_ranges>(
        "ipRanges", "range sets that come before all others (capability \"ipRanges\")")
        .from(OptionSource::runtime_config),
    option<&HostLocalOptions::runtime_ips>(
        "ips", "wanted addresses, with or without prefix (capability \"ips\")")
        .from(OptionSource::runtime_config)
        .used_by(kAdd),
    option<&HostLocalOptions::args_ips>("ips", "wanted addresses, with or without prefix")
        .from(OptionSource::args_cni)
        .used_by(kAdd),
    option<&HostLocalOptions::cni_args_ip>("IP", "one wanted address, with or without prefix")
        .from(OptionSource::cni_args)
        .exact_case()
        .used_by(kAdd),
};

}  // namespace

constinit const OptionTable kHostLocalOptions = option_table<HostLocalOptions>(kRows);

}  // namespace unicni::host_local
