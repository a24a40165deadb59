// libunicni.so itself, or the program that holds it.
#pragma once

#include <string>

namespace unicni::runtime {

/// Modules take libunicni and libstdc++ from whoever loads them: from the names that all of a
/// process sees. A program that opened the library, or what is linked with it, by dlopen(3) with
/// RTLD_LOCAL doesn't show them, so the library shows itself and what it stands on. It stays loaded
/// from then on, as modules do. In an executable there is nothing to do.
void show_own_symbols() noexcept;

/// Where the executable lies if it was installed together with this library; the path has "..", and
/// nothing need be there.
std::string executable_beside_library();

}  // namespace unicni::runtime
