#include "module/missing_symbol.h"

#include <cxxabi.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "module/refusal.h"

namespace unicni::module {
namespace {

/// The symbol of "<file>: undefined symbol: <name>[, version <v>]"; empty: the text is of something
/// else.
/// The text is that of glibc's dlerror(3), which has no number.
std::string missing_symbol(std::string_view text) {
  constexpr std::string_view kMark = "undefined symbol: ";
  const auto mark = text.find(kMark);
  if (mark == text.npos) return {};
  text.remove_prefix(mark + kMark.size());
  return std::string(text.substr(0, text.find_first_of(", \n")));
}

std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 && name ? std::string(name.get()) : symbol;
}

/// The numbers of "1.2.3"; what isn't there is 0.
std::array<unsigned, 3> version_numbers(std::string_view text) {
  std::array<unsigned, 3> numbers{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (unsigned& number : numbers) {
    const auto [behind, error] = std::from_chars(at, end, number);
    if (error != std::errc() || behind == end || *behind != '.') break;
    at = behind + 1;
  }
  return numbers;
}

/// Whose a name is, without "vtable for" and the like.
std::string_view subject(std::string_view name) {
  constexpr std::string_view kOf = " for ";
  const auto of = name.find(kOf);
  return of == name.npos ? name : name.substr(of + kOf.size());
}

/// The note says for which version the module was built; comparing it with ours tells who has to be
/// replaced.
std::string which_unicni_is_older(const ModuleNote& note) {
  const auto theirs = version_numbers(note.built_for);
  const auto ours = version_numbers(UNICNI_VERSION);
  if (theirs > ours) {
    return fmt::format(
        "this unicni {} is too old for the module, which was built for {}: install unicni {} or a "
        "newer one",
        UNICNI_VERSION, note.built_for, note.built_for);
  }
  if (theirs < ours) {
    return fmt::format(
        "the module, which was built for unicni {}, is too old for this {}: rebuild it with the "
        "headers of this one",
        note.built_for, UNICNI_VERSION);
  }
  return fmt::format(
      "module and executable both say unicni {}, so one of them is of another state of it, or a "
      "file of the module is left out: build both from one source",
      UNICNI_VERSION);
}

struct SymbolFamily {
  std::string_view prefix;  ///< of the name as C++ writes it
  std::string_view advice;
};

constexpr std::string_view kOldLibrary =
    "this unicni was built with an older C++ library than the module: install a unicni that was "
    "built with as new a compiler, or build the module with this one's";
constexpr std::string_view kSanitizer =
    "the module was built with a sanitizer and this unicni wasn't: build both in the same way";

/// The first prefix that fits decides.
constexpr SymbolFamily kFamilies[] = {
    {"std::", kOldLibrary},
    {"__gnu_cxx::", kOldLibrary},
    {"__cxxabiv1::", kOldLibrary},
    {"__cxa_", kOldLibrary},
    {"fmt::", "of fmt the executable has what fmt::format() needs and nothing else"},
    {"__asan_", kSanitizer},
    {"__tsan_", kSanitizer},
    {"__ubsan_", kSanitizer},
};

std::string advice_for(const std::string& symbol, const ModuleNote& note) {
  const std::string name = demangled(symbol);
  const std::string_view whose = subject(name);
  std::string advice = fmt::format("nobody has {}, which the module needs; ", name);
  if (whose.starts_with("unicni::") || whose.starts_with("unicni_")) {
    return advice + which_unicni_is_older(note);
  }
  const auto* family =
      std::find_if(std::begin(kFamilies), std::end(kFamilies),
                   [&](const SymbolFamily& f) { return whose.starts_with(f.prefix); });
  if (family != std::end(kFamilies)) return advice.append(family->advice);
  return advice + "link the module with the library that has it";
}

}  // namespace

Error cannot_open(const std::string& path, const std::string& text, const ModuleNote& note) {
  const std::string symbol = missing_symbol(text);
  return unusable(path, text,
                  symbol.empty() ? "install the module again, and the libraries that it needs"
                                 : advice_for(symbol, note));
}

}  // namespace unicni::module
