#include "module/cache.h"

namespace unicni::module {

LoadedModule Cache::load(const Found& found, const std::string& executable) {
  const ModuleDescriptor* descriptor = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const ModuleDescriptor*& opened = opened_[found.module_path];
    if (opened == nullptr) opened = &open(found.module, found.module_path, executable);
    descriptor = opened;
  }
  return LoadedModule(*descriptor);
}

}  // namespace unicni::module
