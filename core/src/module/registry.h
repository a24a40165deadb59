// From a type's name to what serves it: a module of ours, or a program in CNI_PATH.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/module.h"

namespace unicni::module {

/// `^[a-z0-9][a-z0-9-]{0,31}$`: only such names ever meet the modules' folder.
bool valid_module_name(std::string_view name);
/// Legal as a type at all (spec: non-empty, no '/', not "." or ".."). Throws Error(invalid_config)
/// if not.
void require_valid_type(std::string_view type);

/// Folder of the modules, from the executable's own real path: <prefix>/libexec/cni/unicni →
/// <prefix>/lib/unicni/modules; in the build tree <build>/exec/unicni → <build>/modules.
std::string module_folder(const std::string& executable);

struct Found {
  std::string type;
  std::string module_path;  ///< our module, absolute; empty: it is a program
  std::string program;      ///< a stranger's plugin in CNI_PATH, absolute; empty: it is a module
};

struct Locations {
  std::string executable;             ///< /proc/self/exe, resolved
  std::string modules;                ///< module_folder(executable)
  std::vector<std::string> cni_path;  ///< relative elements are ignored
};

/// The first regular, executable file <dir>/<type> in CNI_PATH decides: our own executable (same
/// device and inode) or none at all → the module of that name; another file → that program.
/// Error(invalid_config) "absent" with the folders that were searched if neither exists. Never
/// scans a folder.
Found find_type(const std::string& type, const Locations& where);

/// Throws Error unless the file and every folder above it belong to a trusted owner and can't be
/// written by others (a sticky, root-owned folder that others can write is fine if the next
/// component passes). Trusted: uid 0; in a user namespace other than the first also the owner of
/// `executable`, and there the folders above the executable may have any owner ("/" belongs to
/// nobody that such a namespace knows); who may write counts as ever.
void require_trusted(const std::string& path, const std::string& executable);

/// The note of a module file, read as ELF without dlopen. Error: not ELF of this machine, no note,
/// or a NEEDED entry for libstdc++ where the executable brings its own.
ModuleNote read_note(const std::string& path);
/// Throws Error ("ABI mismatch") unless abi and toolchain are ours and the note's name is `name`.
void require_compatible(const ModuleNote& note, const std::string& name, const std::string& path);

}  // namespace unicni::module
