#include "undo/lease_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <string_view>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::undo {

std::optional<Line> read_lease_file(const std::string& file) {
  try {
    const auto text = sys::read_file(file);
    return text ? parse_line(std::string_view(*text).substr(0, text->find('\n'))) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool has_lease_file(const std::string& file) noexcept {
  struct stat status {};
  return ::lstat(file.c_str(), &status) == 0 || errno != ENOENT;
}

}  // namespace unicni::undo
