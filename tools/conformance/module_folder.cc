#include "conformance/module_folder.h"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace unicni::conformance {

namespace fs = std::filesystem;

ModuleFolder::ModuleFolder(const std::string& module, const std::string& executable) {
  char name[] = "/tmp/unicni-conformance.XXXXXX";
  if (::mkdtemp(name) == nullptr) throw std::runtime_error("there can be no folder in /tmp");
  folder_ = name;
  try {
    fill(module, executable);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

ModuleFolder::~ModuleFolder() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

/// The first folder that such a copy asks is its own unicni-modules (core/src/module/registry.h),
/// as there is no lib/unicni/modules two folders above.
void ModuleFolder::fill(const std::string& module, const std::string& executable) {
  const fs::path folder = folder_;
  const fs::path modules = folder / "unicni-modules";
  const fs::path file = fs::canonical(module);
  const std::string type = file.stem();
  fs::create_directory(modules);
  fs::copy_file(executable, folder / "unicni");
  fs::copy_file(file, modules / file.filename());
  fs::permissions(modules / file.filename(), fs::perms::group_write | fs::perms::others_write,
                  fs::perm_options::remove);
  fs::create_symlink("unicni", folder / type);
  const fs::path installed =
      fs::path(executable).parent_path().parent_path().parent_path() / "lib/unicni/modules";
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(installed, none)) {
    const fs::path& other = entry.path();
    if (other.extension() != ".so" || other.stem() == type) continue;
    fs::create_symlink(other, modules / other.filename());
    fs::create_symlink("unicni", folder / other.stem());
  }
  plugin_ = folder / type;
}

}  // namespace unicni::conformance
