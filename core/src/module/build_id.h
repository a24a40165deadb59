// Which build of the executable a file is: the linker's hash over all that is in it.
#pragma once

#include <string>

namespace unicni::module {

/// Of the program or library that this code is in, bytes; empty if the linker made none.
std::string own_build_id();
/// Of a file, read as ELF and never executed. Empty: it has none, is no ELF file of this machine or
/// can't be read.
std::string find_build_id(const std::string& path);

}  // namespace unicni::module
