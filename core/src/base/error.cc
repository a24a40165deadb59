#include "unicni/error.h"

#include <fmt/core.h>
#include <string.h>

#include <utility>

namespace unicni {

Error::Error(Code code, std::string msg, std::string details)
    : Error(static_cast<unsigned>(code), std::move(msg), std::move(details)) {}

Error::Error(unsigned code, std::string msg, std::string details)
    : code_(code), msg_(std::move(msg)), details_(std::move(details)) {}

Error::~Error() = default;

Error& Error::in_step(std::string_view step) {
  const std::string prefix = fmt::format("{}: ", step);
  if (!msg_.starts_with(prefix)) msg_.insert(0, prefix);
  return *this;
}

Error& Error::advise(std::string details) {
  details_ = std::move(details);
  return *this;
}

Error system_error(int errno_value, std::string_view what) {
  // The _np forms know neither locale nor thread-local buffers, and are null for numbers that
  // aren't errno values.
  const char* text = strerrordesc_np(errno_value);
  const char* name = strerrorname_np(errno_value);
  if (text == nullptr || name == nullptr) {
    return Error(Code::internal, fmt::format("{}: unknown error (errno {})", what, errno_value));
  }
  return Error(Code::internal, fmt::format("{}: {} ({})", what, text, name));
}

}  // namespace unicni
