// Where this build is meant to be installed.
#pragma once

namespace unicni::exec {

/// <CMAKE_INSTALL_PREFIX of the configure step>/lib/unicni/modules.
const char* installed_modules() noexcept;

}  // namespace unicni::exec
