#include "runtime/own_library.h"

#include <dlfcn.h>

namespace unicni::runtime {
namespace {

/// Path of the file that holds this function; nullptr: unknown.
const char* own_file() noexcept {
  Dl_info own{};
  return ::dladdr(reinterpret_cast<void*>(&own_file), &own) == 0 ? nullptr : own.dli_fname;
}

}  // namespace

void show_own_symbols() noexcept {
  // An executable isn't found by the name that it was started by, or is found as it is. The handle
  // is kept on purpose.
  if (const char* file = own_file()) (void)::dlopen(file, RTLD_NOLOAD | RTLD_NOW | RTLD_GLOBAL);
}

std::string executable_beside_library() {
  const char* file = own_file();
  if (file == nullptr) return {};
  const std::string path = file;
  const auto end = path.rfind('/');
  return end == std::string::npos ? "" : path.substr(0, end + 1) + UNICNI_EXECUTABLE_FROM_LIBRARY;
}

}  // namespace unicni::runtime
