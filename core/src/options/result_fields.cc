// Option rows of the structs of unicni/result.h: CNI spec 1.1.0, sections 1 ("dns") and 5
// ("routes").
#include "unicni/options.h"

namespace unicni {
namespace {

constexpr Option kRouteRows[] = {
    option<&Route::dst>("dst", "destination").must_be_given(),
    option<&Route::gw>("gw", "next hop; absent or \"\": the gateway of the address, or none"),
    option<&Route::mtu>("mtu", "MTU along the path in bytes; 0: not set"),
    option<&Route::advmss>("advmss", "TCP segment size to advertise; 0: not set"),
    option<&Route::priority>("priority", "metric, lower wins; 0: the kernel's default"),
    option<&Route::table>("table", "routing table; absent: main"),
    option<&Route::scope>("scope", "0 global, 253 link, 254 host").with_range(0, 255),
};

constexpr Option kDnsRows[] = {
    option<&Dns::nameservers>("nameservers", "addresses of name servers, most important first"),
    option<&Dns::domain>("domain", "the local domain"),
    option<&Dns::search>("search", "domains to try for short names, first to last"),
    option<&Dns::options>("options", "options as in resolv.conf(5)"),
};

}  // namespace

constinit const OptionTable kRouteFields = option_table<Route>(kRouteRows);
constinit const OptionTable kDnsFields = option_table<Dns>(kDnsRows);

}  // namespace unicni
