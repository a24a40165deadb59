#include "runtime/own_symbols.h"

#include <dlfcn.h>

namespace unicni::runtime {

void show_own_symbols() noexcept {
  Dl_info own{};
  if (::dladdr(reinterpret_cast<void*>(&show_own_symbols), &own) == 0) return;
  // An executable isn't found by the name that it was started by, or is found as it is. The handle
  // is kept on purpose.
  (void)::dlopen(own.dli_fname, RTLD_NOLOAD | RTLD_NOW | RTLD_GLOBAL);
}

}  // namespace unicni::runtime
