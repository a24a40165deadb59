#include "module/refusal.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "unicni/module.h"

namespace unicni::module {
namespace {

// Grows when an older module can still be served; the oldest that is listed decides which
// descriptor fields may be read without looking at `size`.
constexpr unsigned kAcceptedAbis[] = {UNICNI_ABI};

}  // namespace

Error absent(const std::string& path) {
  return {Code::invalid_config, fmt::format("module {} is absent: no such file", path),
          "install the module, or correct the \"type\" of the network configuration"};
}

Error unusable(const std::string& path, std::string_view why, std::string advice) {
  return {Code::internal, fmt::format("module {} is unusable: {}", path, why), std::move(advice)};
}

Error mismatch(const std::string& path, std::string_view what, std::string_view found,
               std::string_view expected, std::string_view module_version) {
  return {Code::internal,
          fmt::format("module {} has another ABI: its {} is {}, this unicni takes {}", path, what,
                      found, expected),
          fmt::format("rebuild the module (version {}) with the headers and the compiler of this "
                      "unicni {}, or install the unicni that it was built for",
                      module_version, UNICNI_VERSION)};
}

std::string accepted_abis() {
  std::string text;
  for (const unsigned abi : kAcceptedAbis) {
    text += (text.empty() ? "" : ", ") + std::to_string(abi);
  }
  return text;
}

void require_abi(const std::string& path, unsigned abi, std::string_view toolchain,
                 std::string_view module_version) {
  if (std::find(std::begin(kAcceptedAbis), std::end(kAcceptedAbis), abi) ==
      std::end(kAcceptedAbis)) {
    throw mismatch(path, "ABI number", std::to_string(abi), accepted_abis(), module_version);
  }
  if (toolchain != UNICNI_TOOLCHAIN) {
    throw mismatch(path, "toolchain", fmt::format("\"{}\"", toolchain),
                   fmt::format("\"{}\"", UNICNI_TOOLCHAIN), module_version);
  }
}

}  // namespace unicni::module
