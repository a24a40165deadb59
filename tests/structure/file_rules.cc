#include <algorithm>
#include <regex>
#include <set>

#include "rules.h"

namespace unicni::structure {
namespace {

constexpr std::size_t kSourceLines = 600;
constexpr std::size_t kTestLines = 800;
constexpr std::size_t kContributingLines = 120;

}  // namespace

Findings file_sizes(const Files& files) {
  Findings found;
  for (const SourceFile& file : files) {
    std::size_t most = 0;
    if (file.path == "CONTRIBUTING.md") {
      most = kContributingLines;
    } else if (file.is_cxx()) {
      most = file.is_test() ? kTestLines : kSourceLines;
    } else {
      continue;
    }
    if (file.lines.size() > most) {
      found.push_back(finding(file, most + 1,
                              std::to_string(file.lines.size()) + " lines, at most " +
                                  std::to_string(most) + "; split it by noun"));
    }
  }
  return found;
}

Findings file_names(const Files& files) {
  static const std::regex forbidden(
      R"((^|[_-])(util|utils|common|helper|helpers|misc|manager|types)$)");
  Findings found;
  for (const SourceFile& file : files) {
    const std::string name = file.name();
    std::string stem = name.substr(0, name.find('.'));
    if (stem.ends_with("_test")) stem.resize(stem.size() - 5);
    if (std::regex_search(stem, forbidden)) {
      found.push_back(finding(file, 1, "\"" + stem + "\" says nothing; name the file by its noun"));
    }
  }
  return found;
}

Findings test_namespaces(const Files& files) {
  Findings found;
  for (const SourceFile& file : files) {
    if (!file.path.ends_with("_test.cc") || file.path.ends_with("_for_test.cc")) continue;
    const std::string stem = file.name().substr(0, file.name().find('.'));
    std::string around;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      if (line.starts_with("namespace unicni")) around = line.substr(0, line.find(" {"));
      if (line != "namespace {") continue;
      if (!around.ends_with("::" + stem)) {
        found.push_back(finding(file, i + 1,
                                "its names may meet another test's; around it belongs \"" +
                                    (around.empty() ? "namespace unicni" : around) + "::" + stem +
                                    " {\""));
      }
      break;
    }
  }
  return found;
}

Findings module_folders(const Files& files) {
  std::set<std::string> paths;
  std::set<std::string> modules;
  for (const SourceFile& file : files) {
    paths.insert(file.path);
    if (!file.is_below("modules")) continue;
    const std::size_t from = std::string("modules/").size();
    const std::size_t slash = file.path.find('/', from);
    if (slash != std::string::npos) modules.insert(file.path.substr(from, slash - from));
  }
  Findings found;
  for (const std::string& module : modules) {
    std::string test = module + "_test.cc";
    std::replace(test.begin(), test.end(), '-', '_');
    for (const std::string& name : {std::string("README.md"), std::string("example.conflist"),
                                    std::string("CMakeLists.txt"), test}) {
      const std::string path = "modules/" + module + "/" + name;
      if (!paths.contains(path)) found.push_back(path + ":1: every module has its " + name);
    }
  }
  return found;
}

Findings leftovers(const Files& files) {
  // Put together here, so that this file doesn't hold what it looks for.
  static const std::regex unfinished(
      "\\b(TO"
      "DO|FIX"
      "ME)\\b");
  static const std::regex machine(
      "(^|[^\\w.-])/wo"
      "rk($|[^\\w-])");
  Findings found;
  for (const SourceFile& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (std::regex_search(file.lines[i], unfinished)) {
        found.push_back(finding(file, i + 1, "unfinished: finish it, or describe it as an issue"));
      }
      if (std::regex_search(file.lines[i], machine)) {
        found.push_back(finding(file, i + 1, "a path of somebody's machine"));
      }
    }
  }
  return found;
}

}  // namespace unicni::structure
