#include "module/refusal.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "unicni/module.h"

namespace unicni::module {
namespace {

std::string joined(Abis abis) {
  std::string text;
  for (const unsigned abi : abis) text += (text.empty() ? "" : ", ") + std::to_string(abi);
  return text;
}

}  // namespace

Error absent(const std::string& path) {
  return {Code::invalid_config, fmt::format("module {} is absent: no such file", path),
          "install the module, or correct the \"type\" of the network configuration"};
}

/// Every refusal has this form: which file, why, and what mends it.
Error unusable(const std::string& path, std::string_view why, std::string advice) {
  return {Code::internal, fmt::format("module {} is unusable: {}", path, why), std::move(advice)};
}

Error another_abi(const std::string& path, std::string_view what, std::string_view expected,
                  std::string_view module_version) {
  return {Code::internal,
          fmt::format("module {} has another ABI: {}, this unicni takes {}", path, what, expected),
          fmt::format("rebuild the module (version {}) with the headers and the compiler of this "
                      "unicni {}, or install the unicni that it was built for",
                      module_version, UNICNI_VERSION)};
}

void require_abi(const std::string& path, unsigned abi, std::string_view module_version,
                 Abis accepted) {
  if (std::find(accepted.begin(), accepted.end(), abi) != accepted.end()) return;
  throw another_abi(path, fmt::format("it is built for module interface {}", abi), joined(accepted),
                    module_version);
}

/// A module that includes no fmt header has a tag without fmt's part, and fits a host with any fmt.
void require_toolchain(const std::string& path, std::string_view toolchain,
                       std::string_view module_version) {
  constexpr std::string_view kOurs = UNICNI_TOOLCHAIN;
  constexpr std::string_view kFmt = UNICNI_FMT_TAG;
  if (toolchain == kOurs || toolchain == kOurs.substr(0, kOurs.size() - kFmt.size())) return;
  throw another_abi(path, fmt::format("its toolchain is \"{}\"", toolchain),
                    fmt::format("\"{}\"", kOurs), module_version);
}

}  // namespace unicni::module
