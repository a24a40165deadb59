#include "module/cache.h"

namespace unicni::module {

const ModuleDescriptor& Cache::open(const Found& found, const std::string& executable) {
  const std::lock_guard lock(mutex_);
  const ModuleDescriptor*& opened = opened_[found.module_path];
  if (opened == nullptr) opened = &open_file(found, executable);
  return *opened;
}

LoadedModule Cache::load(const Found& found, const std::string& executable) {
  return LoadedModule(open(found, executable));
}

const ModuleDescriptor& Cache::open_file(const Found& found, const std::string& executable) {
  return module::open(found.module, found.module_path, executable);
}

}  // namespace unicni::module
