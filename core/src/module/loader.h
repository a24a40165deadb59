// Opening a module. The one place that uses Boost.DLL (loader.cc); libraries stay open until the
// process ends.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "module/registry.h"

namespace unicni::module {

/// A module instance behind the guard: every exception that leaves the module becomes a host-made
/// Error while its library is loaded, with "<name>: " in front.
class LoadedModule {
 public:
  explicit LoadedModule(const ModuleDescriptor& descriptor);  ///< for the tests; load() is the way

  [[nodiscard]] const ModuleDescriptor& descriptor() const { return *descriptor_; }
  [[nodiscard]] bool has_capability(std::string_view name) const;

  void validate(const Call&);
  Result add(const Call&, Host&);
  void del(const Call&, Host&);
  void check(const Call&, Host&);
  void gc(const Call&, Host&);
  void status(const Call&, Host&);

 private:
  const ModuleDescriptor* descriptor_;
  std::unique_ptr<Module, void (*)(Module*) noexcept> instance_;
};

/// Trust, note, dlopen(RTLD_NOW|RTLD_LOCAL), symbol, descriptor, create. Three distinct kinds of
/// Error: absent (find_type), unusable (with dlerror's text), ABI mismatch. Each module name is
/// opened once.
LoadedModule load(const std::string& name, const std::string& path, const std::string& executable);
/// The same for a module that was found.
LoadedModule load(const Found& found, const std::string& executable);

}  // namespace unicni::module
