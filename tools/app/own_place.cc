#include "app/own_place.h"

#include <filesystem>
#include <system_error>

#include "unicni/error.h"

namespace unicni::app {

std::string own_executable() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw system_error(error.value(), "read /proc/self/exe");
  return self.parent_path().parent_path() / UNICNI_EXECUTABLE_IN_PREFIX;
}

}  // namespace unicni::app
