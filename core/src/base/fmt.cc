// fmt, compiled once: here in its header-only form, while everyone else includes <fmt/core.h>,
// which declares what this file has. All that fmt::format calls is vformat; what nobody uses isn't
// compiled, so a use of anything else (print, format_to) is an undefined symbol.
#define FMT_HEADER_ONLY
#include <fmt/format.h>

#include <string>

namespace {

// An inline function is emitted where it is used.
[[gnu::used]] std::string (*const kVformat)(fmt::string_view, fmt::format_args) = &fmt::vformat;

}  // namespace
