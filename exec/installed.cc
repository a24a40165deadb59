// Alone, so that another prefix compiles no more than this.
#include "installed.h"

namespace unicni::exec {

const char* installed_modules() noexcept { return UNICNI_INSTALLED_MODULES; }
const char* installed_unictl() noexcept { return UNICNI_INSTALLED_UNICTL; }

}  // namespace unicni::exec
