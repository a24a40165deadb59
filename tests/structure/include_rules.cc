#include <filesystem>
#include <regex>
#include <set>
#include <string_view>

#include "rules.h"

namespace unicni::structure {
namespace {

/// "net" of "core/src/net/route.cc" for the prefix "core/src"; empty if the path isn't in a folder
/// below it.
std::string folder_below(const std::string& path, const std::string& prefix) {
  if (!path.starts_with(prefix + "/")) return {};
  const std::size_t from = prefix.size() + 1;
  const std::size_t slash = path.find('/', from);
  return slash == std::string::npos ? std::string() : path.substr(from, slash - from);
}

bool is_public(const Include& include) { return include.target.starts_with("unicni/"); }

/// "net" of "net/route.h"; empty for a file of the including folder.
std::string first_folder(const Include& include) {
  const std::size_t slash = include.target.find('/');
  return slash == std::string::npos ? std::string() : include.target.substr(0, slash);
}

/// What file of `unit` may not include.
void check_includes(const SourceFile& file, const std::string& unit, const LayerTable& table,
                    Findings& found) {
  const bool is_public_header = file.is_below("core/include");
  for (const Include& include : includes_of(file)) {
    if (!include.quoted) continue;
    const auto refuse = [&](const std::string& why) {
      found.push_back(finding(file, include.line, why));
    };
    std::string other;
    if (is_public(include)) {
      other = table.unit_of_header(include.target);
      if (other.empty()) refuse("core/layers.txt names no unit for " + include.target);
    } else if (is_public_header) {
      refuse("a public header includes only unicni/…, not " + include.target);
    } else if (other = first_folder(include); !other.empty() && !table.has(other)) {
      refuse("core/src includes only core, not \"" + include.target + "\"");
      other.clear();
    }
    if (!other.empty() && !table.may_include(unit, other)) {
      refuse(unit + " may include only what it stands on, not " + include.target + " of " + other);
    }
  }
}

}  // namespace

Findings quoted_headers(const Files& files) {
  std::set<std::string> ours;
  for (const SourceFile& file : files) {
    if (!file.is_cxx()) continue;
    for (const std::string_view folder : {"core/include/", "core/src/", "tools/", "modules/", ""}) {
      if (file.path.starts_with(folder)) ours.insert(file.path.substr(folder.size()));
    }
  }
  Findings found;
  for (const SourceFile& file : files) {
    if (!file.is_cxx() || file.is_below("config/examples")) continue;  // written as by strangers
    for (const Include& include : includes_of(file)) {
      const std::string target = std::filesystem::path(include.target).lexically_normal();
      if (!include.quoted && (ours.contains(target) || target.starts_with("unicni/"))) {
        found.push_back(finding(file, include.line,
                                "a header of this tree is included with quotes: " + target));
      }
    }
  }
  return found;
}

Findings quoted_tools(const Files& files) {
  static const std::regex handed_out(R"(include_directories\(.*\}/tools[ )])");
  Findings found;
  for (const SourceFile& file : files) {
    if (file.name() != "CMakeLists.txt" && !file.path.ends_with(".cmake")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (!std::regex_search(file.lines[i], handed_out)) continue;
      found.push_back(
          finding(file, i + 1,
                  "tools/format isn't <format>: target_compile_options(… \"SHELL:-iquote "
                  "${PROJECT_SOURCE_DIR}/tools\")"));
    }
  }
  return found;
}

Findings core_layers(const Files& files, const LayerTable& table) {
  Findings found;
  for (const SourceFile& file : files) {
    if (!file.is_cxx()) continue;
    std::string unit = folder_below(file.path, "core/src");
    if (!unit.empty() && !table.has(unit)) {
      found.push_back(finding(file, 1, "core/layers.txt has no row for core/src/" + unit));
      continue;
    }
    if (file.is_below("core/include")) {
      unit = table.unit_of_header(file.path.substr(std::string_view("core/include/").size()));
      if (unit.empty()) found.push_back(finding(file, 1, "core/layers.txt names no unit for it"));
    }
    if (!unit.empty()) check_includes(file, unit, table, found);
  }
  return found;
}

Findings module_borders(const Files& files, const LayerTable& table) {
  Findings found;
  for (const SourceFile& file : files) {
    if (!file.is_cxx()) continue;
    const std::string module = folder_below(file.path, "modules");
    for (const Include& include : includes_of(file)) {
      if (!include.quoted || is_public(include)) continue;
      const std::string& target = include.target;
      if (target.find("modules/") != std::string::npos && !file.is_test()) {
        found.push_back(finding(file, include.line, "nobody includes a module: " + target));
      } else if (target.find("exec/") != std::string::npos && !file.is_below("exec")) {
        found.push_back(finding(file, include.line, "only exec includes exec: " + target));
      } else if (target.find("..") != std::string::npos) {
        found.push_back(finding(file, include.line, "no way out of the folder by '..': " + target));
      } else if (!module.empty() && target.find('/') != std::string::npos) {
        const bool test_of_core = file.is_test() && table.has(first_folder(include));
        if (!test_of_core) {
          found.push_back(finding(file, include.line,
                                  "a module includes only unicni/… and its own folder: " + target));
        }
      }
    }
  }
  return found;
}

Findings application_borders(const Files& files, const LayerTable& table) {
  Findings found;
  for (const SourceFile& file : files) {
    if (!file.is_cxx()) continue;
    const std::string application = file.is_application() ? folder_below(file.path, "tools") : "";
    for (const Include& include : includes_of(file)) {
      if (!include.quoted || is_public(include)) continue;
      const std::string folder = first_folder(include);
      if (application.empty()) {
        if (folder == "app" || folder == "cnitool" || folder == "unictl") {
          found.push_back(
              finding(file, include.line, "nobody includes an application: " + include.target));
        }
      } else if (!folder.empty() && folder != "app" && folder != "conformance" &&
                 !table.has(folder)) {
        found.push_back(finding(
            file, include.line,
            "an application includes core, tools/app, tools/conformance and its own folder: " +
                include.target));
      } else if (folder.empty() && application == "app") {
        found.push_back(finding(file, include.line, "write \"app/" + include.target + "\""));
      }
    }
  }
  return found;
}

Findings library_borders(const Files& files) {
  Findings found;
  for (const SourceFile& file : files) {
    if (!file.is_cxx()) continue;
    for (const Include& include : includes_of(file)) {
      const auto starts = [&](const char* prefix) { return include.target.starts_with(prefix); };
      const bool json = file.is_test() || file.is_below("core/src/protocol") ||
                        file.is_below("core/src/options") ||
                        file.is_below("core/src/option_docs") || file.is_below("tools/probe");
      const bool netfilter = file.is_test() || file.is_below("core/src/netfilter");
      const bool mnl = netfilter || file.path == "exec/libmnl.cc";
      const bool nl = netfilter || file.is_below("core/src/net");
      if (include.target == "nlohmann/json.hpp" && !json) {
        found.push_back(finding(file, include.line,
                                "nlohmann/json.hpp only in core/src/protocol, core/src/options, "
                                "core/src/option_docs, tools/probe, tests"));
      } else if (starts("nlohmann/") &&
                 (file.is_below("core/include") || (file.is_below("modules") && !json))) {
        found.push_back(finding(file, include.line,
                                "JSON never crosses the module interface: " + include.target));
      } else if (starts("boost/dll") && file.path != "core/src/module/loader.cc") {
        found.push_back(finding(file, include.line, "Boost.DLL only in core/src/module/loader.cc"));
      } else if (starts("yaml-cpp/") && file.path != "core/src/document/yaml.cc") {
        found.push_back(finding(file, include.line, "yaml-cpp only in core/src/document/yaml.cc"));
      } else if (starts("CLI/") && !file.is_below("tools/app")) {
        found.push_back(finding(file, include.line, "CLI11 only in tools/app"));
      } else if (starts("libmnl/") && !mnl) {
        found.push_back(
            finding(file, include.line,
                    "libmnl only in core/src/netfilter and exec/libmnl.cc, for libnftnl"));
      } else if (starts("netlink/") && !include.quoted && !nl) {
        found.push_back(
            finding(file, include.line, "libnl only in core/src/net and core/src/netfilter"));
      }
    }
  }
  return found;
}

Findings forbidden_calls(const Files& files) {
  static const std::regex shell(R"((^|[^\w.>])(std::|::)?(system|popen)\s*\()");
  static const std::regex raw_socket(R"((^|[^\w.>])socket\s*\(\s*[AP]F_)");
  Findings found;
  for (const SourceFile& file : files) {
    if (!file.is_product()) continue;
    const bool sockets = file.is_below("core/src/net") || file.is_below("core/src/netfilter") ||
                         file.is_below("core/src/base") || file.is_below("core/src/daemon");
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      if (std::regex_search(file.code[i], shell)) {
        found.push_back(
            finding(file, i + 1, "no shell in the product: system() and popen() are forbidden"));
      }
      if (!sockets && std::regex_search(file.code[i], raw_socket)) {
        found.push_back(
            finding(file, i + 1, "raw sockets only in core/src/net, netfilter, base and daemon"));
      }
    }
  }
  return found;
}

Findings ended_processes(const Files& files) {
  static const std::regex end(
      R"((^|[^\w.>])(_exit|_Exit|quick_exit)\s*\(|(std|(^|[^\w>]))::(exit|abort|terminate)\s*\()");
  Findings found;
  for (const SourceFile& file : files) {
    const bool is_cores = file.is_below("core") || file.is_below("modules");
    if (!is_cores || !file.is_product() || file.path == "core/src/base/forked_child.cc") continue;
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      if (std::regex_search(file.code[i], end)) {
        found.push_back(finding(file, i + 1,
                                "the process is the program's: throw Error; a forked child ends "
                                "in core/src/base/forked_child.cc"));
      }
    }
  }
  return found;
}

Findings unchecked_attributes(const Files& files) {
  // libnl's return a code that tells whether there was room; libmnl's and libnftnl's don't know.
  static const std::regex writer(
      R"(\bnla_(put\w*|reserve|nest_start\w*)\s*\()"
      R"(|\bnlmsg_(put|reserve|append|expand|alloc\w*)\s*\()"
      R"(|\bmnl_(attr_put|attr_nest_start|nlmsg_put_(header|extra_header)))"
      R"(|\bnftnl_\w+build_payload\w*\()");
  Findings found;
  for (const SourceFile& file : files) {
    if (!file.is_product() || file.path == "core/src/net/attribute.cc" ||
        file.path == "core/src/netfilter/nft/owned.h" || file.path == "exec/libmnl.cc") {
      continue;
    }
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      if (std::regex_search(file.code[i], writer)) {
        found.push_back(
            finding(file, i + 1, "room is easily overlooked: net/attribute.h has put_*"));
      }
    }
  }
  return found;
}

}  // namespace unicni::structure
