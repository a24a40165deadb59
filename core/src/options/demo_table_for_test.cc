#include "options/demo_table_for_test.h"

namespace unicni::options::demo {
namespace {

constexpr const char* kColors[] = {"blue", "green", nullptr};

constexpr Option kRangeRows[] = {
    option<&Range::subnet>("subnet", "network").must_be_given(),
    option<&Range::gateway>("gateway", "next hop"),
    option<&Range::weight>("weight", "share").with_default("3"),
};

constexpr Option kDemoRows[] = {
    option<&Demo::flag>("flag", "a switch"),
    option<&Demo::count>("count", "how many").with_range(0, 9).with_default("4"),
    option<&Demo::mtu>("mtu", "bytes"),
    option<&Demo::color>("color", "paint").with_choices(kColors).with_default("blue"),
    option<&Demo::name>("name2", "a | b"),
    option<&Demo::gateway>("gateway", "next hop"),
    option<&Demo::maybe>("maybe", "perhaps"),
    option<&Demo::mac>("mac", "hardware address").from(OptionSource::runtime_config),
    option<&Demo::words>("words", "some text"),
    option<&Demo::ranges>("ranges", "sets of ranges"),
    option<&Demo::routes>("routes", "routes to add"),
    option<&Demo::dns>("dns", "DNS settings"),
    option<&Demo::trunk>("trunk", "later").not_offered_yet(),
    option<&Demo::backend>("backend", "later too").with_default("nftables").not_offered_yet(),
    option<&Demo::add_only>("addOnly", "once").used_by(static_cast<unsigned>(Command::add)),
    option<&Demo::runtime_ips>("ips", "addresses").from(OptionSource::runtime_config),
    option<&Demo::args_mac>("mac", "hardware address").from(OptionSource::args_cni),
};

constexpr Option kSpokenRows[] = {
    option<&Spoken::ips>("IP", "addresses").from(OptionSource::cni_args),
    option<&Spoken::loud>("LOUD", "a switch").from(OptionSource::cni_args),
    option<&Spoken::level>("LEVEL", "how loud").with_range(0, 9).from(OptionSource::cni_args),
    option<&Spoken::gateway>("GATEWAY", "next hop").from(OptionSource::cni_args),
};

constexpr Option kFreeRows[] = {
    option<&Free::settings>("settings", "what you like"),
    option<&Free::maybe>("maybe", "if you like"),
    option<&Free::count>("count", "how many"),
    option<&Free::anything>("anything", "whatever"),
};

constexpr Option kStrictRows[] = {
    option<&Strict::key>("key", "exactly so").exact_case(),
    option<&Strict::needed>("needed", "can't do without").must_be_given(),
};

}  // namespace

constinit const OptionTable kRangeFields = option_table<Range>(kRangeRows);
constinit const OptionTable kDemoTable = option_table<Demo>(kDemoRows);
constinit const OptionTable kSpokenTable = option_table<Spoken>(kSpokenRows);
constinit const OptionTable kFreeTable = option_table<Free>(kFreeRows);
constinit const OptionTable kStrictTable = option_table<Strict>(kStrictRows);

}  // namespace unicni::options::demo
