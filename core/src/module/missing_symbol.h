// What the dynamic loader says of a module that it can't open, in words that tell whom to mend.
#pragma once

#include <string>

#include "unicni/error.h"
#include "unicni/module.h"

namespace unicni::module {

/// "module <path> is unusable: <text>", where `text` is dlerror's. If it is of a symbol that nobody
/// has, the details name it as C++ does and say which side is too old for the other, which the
/// versions of unicni tell that the executable is and that the module was built for.
Error cannot_open(const std::string& path, const std::string& text, const ModuleNote& note);

}  // namespace unicni::module
