#include "module/registry.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "module/build_id.h"
#include "module/module_file.h"
#include "protocol/plugin_fields.h"
#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/nearest.h"

namespace unicni::module {
namespace {

constexpr std::size_t kLongestName = sizeof(ModuleNote::name) - 1;

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string_view parent(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::optional<struct stat> stat_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return found;
}

/// Execute bits of anybody: root may execute a file if one of them is set, which access(2) would
/// answer for this user alone.
bool runnable(const struct stat& file) {
  return S_ISREG(file.st_mode) && (file.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Our executable, or a copy of it as installers make them.
/// By the file first, which is cheap: links to one executable are the usual way to install. Copies
/// are known by the build id, which is equal in all copies of one build. In a library's user, "own"
/// is the library, and the executable another file.
bool is_ours(const struct stat& file, const std::string& path, const Locations& where) {
  const auto self = stat_of(where.executable);
  if (self && same_file(file, *self)) return true;
  const std::string theirs = find_build_id(path);
  return !theirs.empty() && (theirs == own_build_id() || theirs == find_build_id(where.executable));
}

/// What CNI_PATH has under a type's name.
struct InPath {
  std::string program;  ///< "": nothing
  bool ours = false;
};

/// The first executable counts, as execvp(3) and libcni do it. A relative folder is passed over: it
/// would depend on the runtime's working folder.
InPath look_up(const std::string& type, const Locations& where) {
  for (const auto& folder : where.cni_path) {
    if (!folder.starts_with('/')) continue;
    auto candidate = folder + '/' + type;
    const auto file = stat_of(candidate);
    if (!file || !runnable(*file)) continue;
    const bool ours = is_ours(*file, candidate, where);
    return {std::move(candidate), ours};
  }
  return {};
}

/// The module of just this name.
std::optional<Found> find_exact(const std::string& type, std::string_view name,
                                const Locations& where) {
  if (!valid_module_name(name)) return std::nullopt;
  for (const auto& folder : where.modules) {
    if (auto path = find_file(folder, name))
      return Found{type, std::string(name), *std::move(path), {}};
  }
  return std::nullopt;
}

/// Calls each(name) for what a file's name may stand for: the whole, then what is behind each '-',
/// longest first. Ends when it returns true.
template <class F>
void each_meaning(std::string_view name, F each) {
  for (;;) {
    if (each(name)) return;
    const auto dash = name.find('-');
    if (dash == name.npos) return;
    name.remove_prefix(dash + 1);
  }
}

/// Only for an error's "did you mean".
std::vector<std::string> installed_modules(const Locations& where) {
  std::vector<std::string> names;
  for (const auto& folder : where.modules) {
    try {
      for (std::string& module : modules_in(folder)) names.push_back(std::move(module));
    } catch (
        const Error&) {  // NOLINT(bugprone-empty-catch): who can't read it has no names to tell
    }
  }
  return names;
}

std::string nearest_module(std::string_view type, const Locations& where) {
  const std::vector<std::string> names = installed_modules(where);
  const std::vector<std::string_view> known(names.begin(), names.end());
  std::string nearest;
  each_meaning(type, [&](std::string_view meaning) {
    nearest = options::nearest_key(meaning, known);
    return !nearest.empty();
  });
  return nearest;
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
  std::string all;
  for (const auto& text : texts) {
    if (!all.empty()) all += between;
    all += text;
  }
  return all;
}

/// All folders are named: a module that was installed into another place is the usual cause. Of
/// modules nothing is said where there are no folders of them, as in a library's user without us.
Error nothing_serves(const std::string& type, std::string_view why, const Locations& where) {
  if (where.modules.empty()) {
    return {Code::invalid_config,
            why.empty() ? fmt::format("there is no module \"{}\"", type) : std::string(why),
            "correct \"type\", or install the plugin into an absolute folder of CNI_PATH"};
  }
  const std::string nearest = nearest_module(type, where);
  return {
      Code::invalid_config,
      fmt::format("{}{}module \"{}\" is absent from {}{}", why, why.empty() ? "" : ", and ", type,
                  joined(where.modules, ", "),
                  nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)),
      "correct \"type\", install the plugin into an absolute folder of CNI_PATH, or install the "
      "modules: \"cmake --install build/release\" as root brings them into the last of these "
      "folders, and a copy of that folder may be any of the others"};
}

}  // namespace

/// A name becomes a path, an ELF symbol and a folder of the project, and must fit all three.
bool valid_module_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && lower_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return lower_or_digit(c) || c == '-'; });
}

void require_valid_type(std::string_view type) {
  constexpr auto kAllowed =
      "a type is a file name: not empty, not \".\" or \"..\", without '/' and NUL";
  if (type.empty()) throw Error(Code::invalid_config, "\"type\" is missing or empty", kAllowed);
  if (!protocol::is_plugin_type(type)) {
    throw Error(Code::invalid_config, fmt::format("\"type\": \"{}\" is not allowed", type),
                kAllowed);
  }
}

/// In a build tree the modules stand beside exec/. Everywhere else the two places are relative to
/// the executable, so an installed tree can be moved as a whole.
std::vector<std::string> module_folders(const std::string& executable,
                                        const std::string& installed) {
  const auto folder = parent(executable);
  std::vector<std::string> folders;
  folders.reserve(3);
  if (folder.ends_with("/exec")) {
    folders.push_back(std::string(parent(folder)) + "/modules");
  } else {
    folders.push_back(std::string(parent(parent(folder))) + "/lib/unicni/modules");
  }
  folders.push_back(std::string(folder) + "/unicni-modules");
  if (!installed.empty() && installed != folders.front()) folders.push_back(installed);
  return folders;
}

std::optional<Found> find_named(const std::string& name, const Locations& where) {
  std::optional<Found> found;
  each_meaning(name, [&](std::string_view meaning) {
    found = find_exact(name, meaning, where);
    return found.has_value();
  });
  return found;
}

/// What a file of ours is called on disk was chosen by who installed it, so a name with a prefix
/// counts.
Found get_named(const std::string& name, const Locations& where) {
  require_valid_type(name);
  if (where.own && where.own->type == name) return *where.own;
  if (auto found = find_named(name, where)) return *std::move(found);
  throw nothing_serves(name, {}, where);
}

Found find_type(const std::string& type, const Locations& where) {
  require_valid_type(type);
  InPath in_path = look_up(type, where);
  const bool is_foreign = !in_path.program.empty() && !in_path.ours;
  if (is_foreign) return Found{type, {}, {}, std::move(in_path.program)};
  // Without a file of ours nobody said that "acme-static" is our static: its plugin is missing.
  const bool is_said = in_path.ours || std::find(where.served.begin(), where.served.end(), type) !=
                                           where.served.end();
  auto found = is_said ? find_named(type, where) : find_exact(type, type, where);
  if (found) return *std::move(found);
  const std::string passed_over = find_not_executable(type, {}, where);
  throw nothing_serves(
      type,
      fmt::format("failed to find plugin \"{}\" in path [{}]{}", type, joined(where.cni_path, " "),
                  passed_over.empty() ? "" : fmt::format(": {} isn't executable", passed_over)),
      where);
}

std::string find_executable(const std::string& type, const Locations& where) {
  return look_up(type, where).program;
}

bool is_runnable(const std::string& path) {
  const auto file = stat_of(path);
  return file && runnable(*file);
}

std::string find_not_executable(const std::string& type, const std::string& remembered,
                                const Locations& where) {
  const auto is_passed_over = [](const std::string& path) {
    const auto file = stat_of(path);
    return file && S_ISREG(file->st_mode) && !runnable(*file);
  };
  for (const std::string& folder : where.cni_path) {
    std::string candidate = folder + '/' + type;
    if (folder.starts_with('/') && is_passed_over(candidate)) return candidate;
  }
  return is_passed_over(remembered) ? remembered : std::string();
}

}  // namespace unicni::module
