// The environment: NUL-separated values of the CNI_* variables in a fixed order.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/reply.h"
#include "protocol/request.h"
#include "unicni/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::string_view, 7> kNames = {
      "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS",         "CNI_IFNAME",
      "CNI_ARGS",    "CNI_PATH",        "CNI_NETNS_OVERRIDE"};
  std::array<std::string, kNames.size()> values;
  std::size_t index = 0;
  for (std::size_t i = 0; i < size && index < values.size(); ++i) {
    if (data[i] == 0) {
      ++index;
    } else {
      values[index].push_back(static_cast<char>(data[i]));
    }
  }
  const auto get = [&](const char* name) -> const char* {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (kNames[i] == name) return values[i].empty() ? nullptr : values[i].c_str();
    }
    return nullptr;
  };
  try {
    const auto environment = unicni::protocol::read_environment(get);
    if (environment && environment->command && !environment->if_name.empty() &&
        (*environment->command == unicni::Command::add)) {
      // What passed must be safe as a file name's part.
      if (environment->if_name.find('/') != std::string::npos) std::abort();
      if (environment->container_id.find_first_of("/:") != std::string::npos) std::abort();
    }
    if (environment) unicni::protocol::require_known_command(*environment);
  } catch (const unicni::Error& error) {
    if (unicni::protocol::print_error(error, "1.1.0").empty()) std::abort();
  }
  try {
    unicni::protocol::parse_args(values[4]);
  } catch (const unicni::Error&) {
  }
  return 0;
}
