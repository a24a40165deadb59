// From a type's name to what serves it: a module of ours, or a program in CNI_PATH.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::module {

/// `^[a-z0-9][a-z0-9-]{0,30}$`: only such names ever meet the modules' folder.
bool valid_module_name(std::string_view name);
/// Legal as a type at all (spec: non-empty, no '/', not "." or ".."). Throws Error(invalid_config)
/// if not.
void require_valid_type(std::string_view type);

/// Folders of modules, in the order in which they are asked: by the executable's own real path
/// <folder>/../../lib/unicni/modules (<prefix>/libexec/cni/unicni → <prefix>/lib/unicni/modules; in
/// the build tree <build>/exec/unicni → <build>/modules), <folder>/unicni-modules for copies of the
/// executable, and `installed`, where the modules of this build were meant to be. In each folder a
/// file of the executable's own interface number goes before <module>.so (module_file.h).
std::vector<std::string> module_folders(const std::string& executable,
                                        const std::string& installed);

struct Found {
  std::string type;         ///< as the configuration, or who called us, has it
  std::string module;       ///< the module's name, "bridge" for a link "cnv-bridge"
  std::string module_path;  ///< our module, absolute; empty: it is a program
  std::string program;      ///< a foreign plugin in CNI_PATH, absolute; empty: it is a module
};

struct Locations {
  std::string executable;             ///< /proc/self/exe, resolved
  std::vector<std::string> modules;   ///< module_folders(executable, …)
  std::vector<std::string> cni_path;  ///< relative elements are ignored
  std::optional<Found> own = {};      ///< what our own file name means, if it was looked up
  std::string installed_unictl = {};  ///< where the unictl of this build was meant to be; "": none
  /// Names that stand for modules of ours although no file of ours has them any more.
  std::vector<std::string> served = {};
};

/// Our module that a file named `name` stands for, as whoever installs us may choose the name: the
/// module of just that name, else the one with the longest name behind a '-' ("x-host-device" is
/// host-device). nullopt: none. Looks into where.modules for each candidate, and nowhere else.
std::optional<Found> find_named(const std::string& name, const Locations& where);
/// The same, from where.own if it is that. Error(invalid_config) if there is none, with the nearest
/// name there is, the folders and the way to install.
Found get_named(const std::string& name, const Locations& where);

/// The first regular, executable file <dir>/<type> in CNI_PATH decides. None: the module of just
/// that name, or one in where.served. Our own executable (same device and inode, or a copy of it,
/// which the build id tells): find_named(). Another file: that program, also if it is another build
/// of unicni, which has modules of its own. Error(invalid_config) "absent" with the folders that
/// were searched and the nearest name if nothing serves it.
Found find_type(const std::string& type, const Locations& where);

/// The file that decides there, ours or not: absolute; "" if CNI_PATH has none.
std::string find_executable(const std::string& type, const Locations& where);
/// Whether `path` is a file that could be executed.
bool is_runnable(const std::string& path);
/// Where there is no such one: a file of that name which nobody may execute, in CNI_PATH, else
/// `remembered`; "" if neither is there.
std::string find_not_executable(const std::string& type, const std::string& remembered,
                                const Locations& where);

}  // namespace unicni::module
