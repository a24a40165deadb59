// Where this build is meant to be installed.
#pragma once

namespace unicni::exec {

/// <CMAKE_INSTALL_PREFIX of the configure step>/lib/unicni/modules.
const char* installed_modules() noexcept;

/// <CMAKE_INSTALL_PREFIX of the configure step>/bin/unictl.
const char* installed_unictl() noexcept;

}  // namespace unicni::exec
