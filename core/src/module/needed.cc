#include "module/needed.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "module/dynamic.h"
#include "module/library_path.h"

namespace unicni::module {
namespace {

using Names = std::vector<std::string>;

// Of one module.
constexpr std::size_t kMostLibraries = 256;
constexpr std::size_t kLongestWay = 16;

bool starts_with_any(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

/// A second copy in the process would have its own exceptions, type infos and allocator state, and
/// catch nothing that the first one throws.
bool is_cxx_library(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);
  return starts_with_any(name, {"libstdc++.so", "libc++.so"});
}

/// Parts of glibc and of the compiler, which need no C++.
bool is_c_library(std::string_view name) {
  return starts_with_any(name, {"libc.so.", "libm.so.", "ld-linux", "libpthread.so.", "libdl.so.",
                                "librt.so.", "libresolv.so.", "libgcc_s.so."});
}

/// A file whose libraries are still to be looked at.
struct Place {
  std::string path;
  Names way;            ///< that led here
  std::string folders;  ///< of the DT_RPATHs on the way
};

/// Breadth first, so that the shortest way is found; each name once, as the loader maps it once.
class Search {
 public:
  /// True when a library is found that a module may not need: way() leads there.
  bool look(const ElfFile& file, const std::vector<ElfW(Phdr)>& segments, const Place& place) {
    const Dynamic dynamic(file, segments);
    std::optional<std::string> folders;
    std::string inherited;
    return dynamic.each_needed([&](std::string_view entry) {
      const std::string name = expand_origin(std::string(entry), place.path);
      if (is_cxx_library(name) || is_relative_path(name)) {
        way_ = place.way;
        way_.emplace_back(name);
        return true;
      }
      if (is_c_library(name) || place.way.size() >= kLongestWay || !is_new(name)) return false;
      if (!folders) {
        auto own = dynamic.folders();
        folders = expand_origin(std::move(own.list), place.path);
        if (own.inherited) {
          folders->append(":").append(place.folders);
          inherited = *folders;
        }
      }
      if (auto path = find_library(name, *folders)) {
        auto& next = pending_.emplace_back(Place{*std::move(path), place.way, inherited});
        next.way.emplace_back(name);
      }
      return false;
    });
  }

  // A library that can't be found or read is no reason to refuse: dlopen has better words for it.
  bool follow() {
    for (; !pending_.empty(); pending_.pop_front()) {
      const Place& place = pending_.front();
      try {
        const ElfFile file(place.path);
        const auto segments = file.segments();
        if (look(file, segments, place)) return true;
      } catch (const Error&) {  // NOLINT(bugprone-empty-catch): dlopen will say it
      }
    }
    return false;
  }

  [[nodiscard]] const Names& way() const { return way_; }

 private:
  bool is_new(std::string_view name) {
    if (seen_.size() >= kMostLibraries) return false;
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) return false;
    seen_.emplace_back(name);
    return true;
  }

  std::deque<Place> pending_;  // references stay good when one is added
  Names seen_;
  Names way_;
};

}  // namespace

Names find_refused_library(const ElfFile& module, const std::vector<ElfW(Phdr)>& segments) {
  Search search;
  if (!search.look(module, segments, {module.path(), {}, {}})) search.follow();
  return search.way();
}

/// Of what is inside no name is left. But every module makes objects, for which one without a
/// library of its own takes operator new from the executable; and a library brings its unwinder
/// along, or takes libgcc's, of which no other code takes these.
bool holds_cxx_library(const ElfFile& module, const std::vector<ElfW(Phdr)>& segments) {
  bool takes_new = false;
  bool has_unwinder = false;
  Dynamic(module, segments).each_import([&](std::string_view name) {
    takes_new = takes_new || name == "_Znwm" || name == "_Znwj";  // of 64 and of 32 bits
    has_unwinder = has_unwinder || name == "_Unwind_RaiseException" || name == "_dl_find_object" ||
                   name == "dl_iterate_phdr";
    return takes_new;
  });
  return has_unwinder && !takes_new;
}

}  // namespace unicni::module
