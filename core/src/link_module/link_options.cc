#include "unicni/link_options.h"

#include <fmt/core.h>

#include "unicni/error.h"

namespace unicni {

void require_link_name(const char* key, const std::string& name) {
  constexpr std::size_t kLongest = 15;  // IFNAMSIZ - 1
  // A0 is white space for the kernel. NUL came never that far from a configuration.
  constexpr std::string_view kRefused("/: \t\n\v\f\r%\xA0\0", 11);
  const bool bad = name.empty() || name.size() > kLongest || name == "." || name == ".." ||
                   name.find_first_of(kRefused) != std::string::npos;
  if (!bad) return;
  throw Error(Code::invalid_config, fmt::format("{}: \"{}\" is no name for a link", key, name),
              "write a name of 1 to 15 bytes without '/', ':', '%' and white space");
}

void require_interface_mac(const char* key, const std::optional<Mac>& mac) {
  if (!mac || (!mac->is_multicast() && !mac->is_zero())) return;
  throw Error(Code::invalid_config,
              fmt::format("{} {} can't be an interface's address", key, mac->str()),
              "set a unicast MAC address that is not zero");
}

void require_mtu_range(const char* key, std::int64_t mtu) {
  if (mtu == 0 || (mtu >= 68 && mtu <= 65535)) return;
  throw Error(Code::invalid_config,
              fmt::format("{}: {} is too {}", key, mtu, mtu < 68 ? "small" : "large"),
              "set 68 to 65535 bytes, or 0 for the default");
}

}  // namespace unicni
