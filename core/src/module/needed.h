// The libraries that a module needs, and those that these need.
#pragma once

#include <link.h>

#include <string>
#include <vector>

#include "module/elf_file.h"

namespace unicni::module {

/// The way from a module to a library that it may not bring: libstdc++ or libc++, or one by a
/// relative path, for which the working folder would be asked. The names that each DT_NEEDED has,
/// that library's last. Empty: there is none. Read from the files, as ld.so(8) would find them;
/// what can't be found or read is left to dlopen, which refuses it. For a module that needs the C
/// library alone nothing is opened.
std::vector<std::string> find_refused_library(const ElfFile& module,
                                              const std::vector<ElfW(Phdr)>& segments);

/// Whether the module has a C++ library inside, linked into it from an archive.
bool holds_cxx_library(const ElfFile& module, const std::vector<ElfW(Phdr)>& segments);

}  // namespace unicni::module
