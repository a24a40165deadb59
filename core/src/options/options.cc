#include "unicni/options.h"

#include <array>

namespace unicni {
namespace {

// The structs of unicni/result.h: CNI spec 1.1.0, sections 1 ("dns") and 5 ("routes").

constexpr Option kRouteRows[] = {
    option<&Route::dst>("dst", "destination of the route, such as 0.0.0.0/0").must_be_given(),
    option<&Route::gw>("gw",
                       "next hop of the route; absent or \"\": the gateway that IPAM returns for "
                       "an address of the same family"),
    option<&Route::mtu>("mtu", "MTU in bytes along the route's path; 0: not set"),
    option<&Route::advmss>(
        "advmss", "TCP maximum segment size in bytes to advertise on the route; 0: not set"),
    option<&Route::priority>(
        "priority", "metric of the route, the lowest is preferred; 0: the kernel's default"),
    option<&Route::table>("table", "routing table of the route; absent: main"),
    option<&Route::scope>("scope", "scope of the route: 0 global, 253 link, 254 host")
        .with_range(0, 255),
};

template <class T>
constexpr std::array kDnsRows = {
    option<&T::nameservers>("nameservers", "IP addresses of DNS servers, most preferred first"),
    option<&T::domain>("domain", "local domain for looking up short host names"),
    option<&T::search>("search", "domains to search for short host names, most preferred first"),
    option<&T::options>("options", "resolver options as in resolv.conf(5)"),
};

template <class T>
constexpr OptionTable dns_table() {
  return {kDnsRows<T>.data(), kDnsRows<T>.size(), [] { return static_cast<void*>(new T()); },
          [](void* options) noexcept { delete static_cast<T*>(options); }};
}

}  // namespace

constinit const OptionTable kRouteFields = option_table<Route>(kRouteRows);
constinit const OptionTable kDnsFields = dns_table<Dns>();
constinit const OptionTable kDnsOptionFields = dns_table<DnsOptions>();

std::optional<Dns> DnsOptions::chosen() const {
  if (domain.empty() && !nameservers && !search && !options) return std::nullopt;
  const std::vector<std::string> none;
  return Dns{nameservers.value_or(none), domain, search.value_or(none), options.value_or(none)};
}

}  // namespace unicni
