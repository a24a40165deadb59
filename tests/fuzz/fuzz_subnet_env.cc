// flannel's subnet.env, as flanneld or somebody at a keyboard writes it.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "subnet_env.h"
#include "unicni/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unicni;
  try {
    const flannel::SubnetEnv env =
        flannel::parse_subnet_env({reinterpret_cast<const char*>(data), size}, "subnet.env");
    // Without one of these there is nothing to give out.
    if (!env.subnet && !env.ipv6_subnet) std::abort();
    for (const auto& subnet : {env.subnet, env.ipv6_subnet}) {
      if (subnet && subnet->masked() != *subnet) std::abort();
    }
  } catch (const Error& error) {
    if (!error.is(Code::try_again) || error.msg().empty()) std::abort();
  }
  return 0;
}
