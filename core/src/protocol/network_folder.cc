#include "protocol/network_folder.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <utility>

#include "base/given_file.h"
#include "protocol/document.h"
#include "protocol/request.h"
#include "unicni/sys/file.h"

namespace unicni::protocol {
namespace {

enum class Kind : unsigned char { list, plugin };

/// Paths of the folder's files that end in one of `endings`, by byte order.
std::vector<std::string> files_of(const std::string& folder,
                                  std::initializer_list<std::string_view> endings) {
  std::vector<std::string> paths;
  for (const std::string& name : sys::list_folder(folder)) {
    const bool fits = std::any_of(endings.begin(), endings.end(),
                                  [&](std::string_view ending) { return name.ends_with(ending); });
    if (!fits) continue;
    std::string path = fmt::format("{}/{}", folder, name);
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) continue;
    paths.push_back(std::move(path));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// nullopt: the file has gone since the folder was listed.
std::optional<std::string> read_listed(const std::string& path) {
  auto bytes = sys::read_file(path, kListFileLimit);
  struct stat status {};
  if (!bytes && ::lstat(path.c_str(), &status) == 0) {
    throw Error(Code::io, path + ": it is a symbolic link to a file that isn't there",
                "repair the link, or remove it");
  }
  return bytes;
}

NetworkList parse(Kind kind, std::string_view bytes, const std::string& path) {
  return kind == Kind::list ? parse_list(bytes, path) : parse_plugin(bytes, path);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Only of a list whose name is valid: the folder's name is made of it.
void add_drop_ins(NetworkList& list, const std::string& folder) {
  if (!list.only_inlined) {
    for (const std::string& path : files_of(fmt::format("{}/{}", folder, list.name), {".conf"})) {
      if (const auto bytes = read_listed(path)) add_drop_in(list, *bytes, path);
    }
  }
  require_members(list);
}

struct Candidate {
  std::string path;
  Kind kind;
};

std::vector<Candidate> candidates(const std::string& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
    throw Error(Code::io, folder + " is no folder",
                "name the folder that has the files of networks");
  }
  std::vector<Candidate> all;
  for (std::string& path : files_of(folder, {".conflist"})) {
    all.push_back({std::move(path), Kind::list});
  }
  for (std::string& path : files_of(folder, {".conf", ".json"})) {
    all.push_back({std::move(path), Kind::plugin});
  }
  return all;
}

/// By what the path ends in, else by what the file holds.
NetworkList parse_file(std::string_view bytes, const std::string& path) {
  if (path.ends_with(".conflist")) return parse_list(bytes, path);
  if (path.ends_with(".conf") || path.ends_with(".json")) return parse_plugin(bytes, path);
  return parse_network(bytes, path);
}

NetworkList parse_given(std::string_view bytes, const std::string& path) {
  try {
    return parse_file(bytes, path);
  } catch (const Error& error) {
    if (!error.is(Code::decode) || !path.ends_with(".yaml")) throw;
    throw Error(error.code(), error.msg(),
                "a chain in YAML is no network: unictl lint looks at it, and unictl render "
                "--wrapper NAME prints the network that has it");
  }
}

}  // namespace

NetworkSearch find_network(const std::string& folder, const std::string& name) {
  require_network_name(name);
  NetworkSearch search;
  for (const Candidate& candidate : candidates(folder)) {
    const auto bytes = read_listed(candidate.path);
    if (!bytes) continue;
    NetworkList list = parse(candidate.kind, *bytes, candidate.path);
    if (list.name != name) {
      search.seen.push_back({candidate.path, std::move(list.name)});
      continue;
    }
    add_drop_ins(list, folder);
    search.found = std::move(list);
    break;
  }
  return search;
}

Error no_network(const std::string& folder, const std::string& name, const NetworkSearch& search) {
  if (search.seen.empty()) {
    return {Code::invalid_config, fmt::format("no net configurations found in {}", folder),
            "files that end in .conflist, .conf or .json are looked for"};
  }
  std::string seen;
  for (const SeenNetwork& file : search.seen) {
    const std::string_view path = file.path;
    seen += fmt::format("{}{} ({})", seen.empty() ? "" : ", ",
                        file.name.empty() ? std::string("one without a name") : quote(file.name),
                        path.substr(path.rfind('/') + 1));
  }
  return {Code::invalid_config,
          fmt::format("no net configuration with name {} in {}", quote(name), folder),
          "there are: " + seen};
}

NetworkList get_network(const std::string& folder, const std::string& name) {
  NetworkSearch search = find_network(folder, name);
  if (!search.found) throw no_network(folder, name, search);
  return *std::move(search.found);
}

NetworkList get_network_file(const std::string& path) {
  const auto bytes = read_given_file(path, kListFileLimit);
  if (!bytes) throw system_error(ENOENT, "read network configuration " + path);
  NetworkList list = parse_given(*bytes, path);
  require_network_name(list);
  add_drop_ins_of(list, path);
  return list;
}

void add_drop_ins_of(NetworkList& list, const std::string& path) {
  add_drop_ins(list, folder_of(path));
}

std::vector<FolderEntry> list_networks(const std::string& folder) {
  std::vector<FolderEntry> entries;
  std::map<std::string, std::string> first;  // of each name
  for (Candidate& candidate : candidates(folder)) {
    FolderEntry entry{std::move(candidate.path), {}, {}, {}};
    try {
      const auto bytes = read_listed(entry.path);
      if (!bytes) continue;
      NetworkList list = parse(candidate.kind, *bytes, entry.path);
      const auto [taken, is_first] = first.emplace(list.name, entry.path);
      if (!is_first) entry.shadowed_by = taken->second;
      require_network_name(list);
      add_drop_ins(list, folder);
      entry.list = std::move(list);
    } catch (const Error& error) {
      entry.problem = error;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace unicni::protocol
