// What modules find when they are loaded.
#pragma once

namespace unicni::runtime {

/// Modules take libunicni and libstdc++ from whoever loads them: from the names that all of a
/// process sees. A program that opened the library, or what is linked with it, by dlopen(3) with
/// RTLD_LOCAL doesn't show them, so the library shows itself and what it stands on. It stays loaded
/// from then on, as modules do. In an executable there is nothing to do.
void show_own_symbols() noexcept;

}  // namespace unicni::runtime
