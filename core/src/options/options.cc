#include "unicni/options.h"

#include <array>

namespace unicni {
namespace {

// The structs of unicni/result.h: CNI spec 1.1.0, sections 1 ("dns") and 5 ("routes").

constexpr Option kRouteRows[] = {
    option<&Route::dst>("dst", "destination").must_be_given(),
    option<&Route::gw>("gw", "next hop; absent or \"\": the gateway of the address, or none"),
    option<&Route::mtu>("mtu", "MTU along the path in bytes; 0: not set"),
    option<&Route::advmss>("advmss", "TCP segment size to advertise; 0: not set"),
    option<&Route::priority>("priority", "metric, lower wins; 0: the kernel's default"),
    option<&Route::table>("table", "routing table; absent: main"),
    option<&Route::scope>("scope", "0 global, 253 link, 254 host").with_range(0, 255),
};

template <class T>
constexpr std::array kDnsRows = {
    option<&T::nameservers>("nameservers", "addresses of name servers, most important first"),
    option<&T::domain>("domain", "the local domain"),
    option<&T::search>("search", "domains to try for short names, first to last"),
    option<&T::options>("options", "options as in resolv.conf(5)"),
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
