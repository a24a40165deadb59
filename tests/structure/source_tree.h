// The source tree as text: which files there are, and what a compiler sees of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::structure {

struct SourceFile {
  std::string path;                ///< below the root, with '/'
  std::vector<std::string> lines;  ///< as written
  std::vector<std::string>
      code;  ///< the same lines, comments and the inside of literals blanked; only of C and C++

  [[nodiscard]] std::string name() const;  ///< "loader.cc"
  [[nodiscard]] bool is_cxx() const;       ///< .c .cc .h .hpp
  [[nodiscard]] bool is_test() const;      ///< *_test.cc, *_for_test.h, or below tests/
  /// Below tools/app, tools/cnitool or tools/unictl.
  [[nodiscard]] bool is_application() const;
  /// C or C++ of core, modules, exec or an application, and no test.
  [[nodiscard]] bool is_product() const;
  [[nodiscard]] bool is_below(std::string_view folder) const;  ///< folder without a trailing '/'
};

struct Include {
  std::size_t line;  ///< from 1
  std::string target;
  bool quoted;
};

std::vector<Include> includes_of(const SourceFile&);

/// Blanks comments and the inside of string and character literals; line breaks stay.
std::string strip(std::string_view text);

/// Every text file that belongs to the project: all but .git, build folders and binaries, sorted by
/// path.
std::vector<SourceFile> read_tree(const std::filesystem::path& root);
SourceFile make_file(std::string path, std::string_view text);

/// "core/src/net/x.cc:12: rule"
std::string finding(const SourceFile&, std::size_t line, std::string_view rule);

}  // namespace unicni::structure
