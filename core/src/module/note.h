// The note of a module, read from the file: dlopen would run its constructors first.
#pragma once

#include <string>

#include "module/refusal.h"
#include "unicni/module.h"

namespace unicni::module {

/// The note of a module file, read as ELF without dlopen; of an older module what it doesn't have
/// is empty. Error: not ELF of this machine, no note, or a C++ library that the module brings, by
/// itself or through another (needed.h), where the executable has its own.
ModuleNote read_note(const std::string& path);
/// Throws Error ("another ABI") unless abi and toolchain fit and the note's name is `name`.
void require_compatible(const ModuleNote& note, const std::string& name, const std::string& path,
                        Abis accepted = kAcceptedAbis);

}  // namespace unicni::module
