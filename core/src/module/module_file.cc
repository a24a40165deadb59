#include "module/module_file.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "unicni/module.h"
#include "unicni/sys/file.h"

namespace unicni::module {
namespace {

constexpr std::string_view kSuffix = ".so";
constexpr std::string_view kAbi = ".abi";

/// A number as file_names() writes it.
std::optional<unsigned> parse_number(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (std::to_string(number) != text) return std::nullopt;
  return number;
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

/// False only if there surely is no such file; what else is wrong with it, loading it will tell.
bool may_exist(const std::string& path) {
  return exists(path) || (errno != ENOENT && errno != ENOTDIR);
}

}  // namespace

std::string descriptor_symbol(std::string_view module) {
  std::string symbol(kDescriptorPrefix);
  symbol += module;
  std::ranges::replace(symbol, '-', '_');
  return symbol;
}

std::optional<ModuleFile> parse_file_name(std::string_view file) {
  if (!file.ends_with(kSuffix)) return std::nullopt;
  file.remove_suffix(kSuffix.size());
  const auto at = file.rfind(kAbi);
  if (at != file.npos) {
    if (const auto number = parse_number(file.substr(at + kAbi.size()))) {
      return ModuleFile{std::string(file.substr(0, at)), number};
    }
  }
  return ModuleFile{std::string(file), std::nullopt};
}

std::array<std::string, 2> file_names(std::string_view module) {
  return {fmt::format("{}{}{}{}", module, kAbi, UNICNI_ABI, kSuffix),
          fmt::format("{}{}", module, kSuffix)};
}

std::optional<std::string> find_file(const std::string& folder, std::string_view module) {
  const auto names = file_names(module);
  auto path = folder + '/' + names[0];
  if (exists(path)) return path;
  path = folder + '/' + names[1];
  return may_exist(path) ? std::optional(std::move(path)) : std::nullopt;
}

std::vector<std::string> modules_in(const std::string& folder) {
  std::vector<std::string> modules;
  for (const std::string& file : sys::list_folder(folder)) {
    auto parsed = parse_file_name(file);
    if (parsed && parsed->abi.value_or(UNICNI_ABI) == UNICNI_ABI)
      modules.push_back(std::move(parsed->module));
  }
  std::sort(modules.begin(), modules.end());
  modules.erase(std::unique(modules.begin(), modules.end()), modules.end());
  return modules;
}

}  // namespace unicni::module
