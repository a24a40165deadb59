#include <algorithm>
#include <regex>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "rules.h"

namespace unicni::structure {
namespace {

constexpr std::size_t kSourceLines = 600;
constexpr std::size_t kTestLines = 800;
constexpr std::size_t kContributingLines = 120;
constexpr std::size_t kCommentsInHundred = 12;
constexpr std::size_t kDecisionLines = 8;
constexpr std::size_t kDecisionColumns = 150;

constexpr std::string_view kTitle = "## ";
constexpr std::string_view kIndexTitle = "## By topic";

/// What the index says its titles begin with: "| topic | one; other |" has two.
std::vector<std::string> index_entries(const std::string& row) {
  const std::size_t second = row.find('|', 1);
  const std::size_t end = row.rfind('|');
  if (!row.starts_with('|') || second == std::string::npos || end <= second) return {};
  std::vector<std::string> entries;
  std::istringstream cell(row.substr(second + 1, end - second - 1));
  for (std::string entry; std::getline(cell, entry, ';');) {
    const std::size_t from = entry.find_first_not_of(' ');
    if (from == std::string::npos) continue;
    entries.push_back(entry.substr(from, entry.find_last_not_of(' ') + 1 - from));
  }
  return entries;
}

/// Blank lines around the titles, short texts.
void check_texts(const SourceFile& file, Findings& found) {
  std::size_t text = 0;
  bool in_index = true;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (line.starts_with(kTitle)) {
      in_index = line == kIndexTitle;
      text = 0;
      if (i > 0 && !file.lines[i - 1].empty()) {
        found.push_back(finding(file, i + 1, "a blank line belongs before a title"));
      }
    } else if (!line.empty() && !in_index) {
      ++text;
      if (text == kDecisionLines + 1) found.push_back(finding(file, i + 1, "at most 8 lines"));
      if (line.size() > kDecisionColumns) {
        found.push_back(finding(file, i + 1, "at most 150 columns"));
      }
    }
  }
}

/// Entries of the index and titles are the same decisions.
void check_index(const SourceFile& file, Findings& found) {
  std::vector<std::pair<std::size_t, std::string>> titles;
  std::vector<std::pair<std::size_t, std::string>> entries;
  bool in_index = false;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (line.starts_with(kTitle)) {
      in_index = line == kIndexTitle;
      if (in_index && !titles.empty()) {
        found.push_back(finding(file, i + 1, "the index comes before all decisions"));
      }
      if (!in_index) titles.emplace_back(i + 1, line.substr(kTitle.size()));
    } else if (in_index && !line.starts_with("| topic |") && !line.starts_with("|---")) {
      for (const std::string& entry : index_entries(line)) entries.emplace_back(i + 1, entry);
    }
  }
  for (const auto& [line, entry] : entries) {
    const auto fits = [&entry = entry](const auto& title) {
      return title.second.starts_with(entry);
    };
    const auto count = std::count_if(titles.begin(), titles.end(), fits);
    if (count == 1) continue;
    found.push_back(
        finding(file, line, "\"" + entry + "\" begins " + std::to_string(count) + " titles"));
  }
  for (const auto& [line, title] : titles) {
    const auto leads_there = [&title = title](const auto& entry) {
      return title.starts_with(entry.second);
    };
    if (std::none_of(entries.begin(), entries.end(), leads_there)) {
      found.push_back(finding(file, line, "the index doesn't lead to it"));
    }
  }
}

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

Findings comment_share(const Files& files) {
  const auto is_blank = [](const std::string& line) {
    return line.find_first_not_of(" \t") == std::string::npos;
  };
  std::size_t all = 0;
  std::size_t comments = 0;
  for (const SourceFile& file : files) {
    if (!file.is_cxx() || file.is_test() || !file.is_below("core")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (is_blank(file.lines[i])) continue;
      ++all;
      if (is_blank(file.code[i])) ++comments;
    }
  }
  if (comments * 100 >= all * kCommentsInHundred) return {};
  return {"core: " + std::to_string(comments) + " of " + std::to_string(all) +
          " lines are comments, fewer than " + std::to_string(kCommentsInHundred) +
          " %: say what the kernel does and why this order"};
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

Findings decisions(const Files& files) {
  Findings found;
  for (const SourceFile& file : files) {
    if (file.path != "core/DECISIONS.md") continue;
    check_texts(file, found);
    check_index(file, found);
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
