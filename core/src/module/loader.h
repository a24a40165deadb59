// Opening a module. The one place that uses Boost.DLL (loader.cc); libraries stay open until the
// process ends.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/stretch.h"
#include "module/guard.h"
#include "module/refusal.h"
#include "module/registry.h"

namespace unicni::module {

/// A module instance behind the guard: every exception that leaves the module becomes a host-made
/// Error while its library is loaded, with "<name>: " in front. So does a result that nobody could
/// make use of.
class LoadedModule {
 public:
  explicit LoadedModule(const ModuleDescriptor& descriptor);  ///< for the tests; load() is the way

  [[nodiscard]] const ModuleDescriptor& descriptor() const { return *descriptor_; }
  [[nodiscard]] bool has_capability(std::string_view name) const;
  [[nodiscard]] bool has_trait(Trait trait) const {
    return unicni::has_trait(descriptor_->traits, trait);
  }

  /// From now on `observer` (nullptr: nobody) hears of each call, as work of the list's `member`
  /// in this place.
  void observe(Observer* observer, const std::string& member, std::size_t place) {
    observer_ = observer;
    place_ = place;
    if (observer != nullptr) member_ = member;
  }

  void validate(const Call&);
  Result add(const Call&, Host&);
  void del(const Call&, Host&);
  void check(const Call&, Host&);
  void gc(const Call&, Host&);
  void status(const Call&, Host&);
  Result update(const Call& now, const Call& was, Host&);
  int command(int argc, const char* const* argv);

  /// Whether the module's interface has what came with the number `abi`.
  [[nodiscard]] bool knows(unsigned abi) const { return descriptor_->abi >= abi; }
  /// Does work(Module&), which calls a method that Module has since the number `since`; a module
  /// of an older one has no such method and is refused. `doing` is for the texts: "ADD".
  template <class F>
  auto call(unsigned since, std::string_view doing, F&& work) {
    if (!knows(since)) throw too_old_for(doing);
    const Stretch stretch(observer_, phase_of(doing), [&] { return std::string(doing); },
                          {member_, place_});
    return guarded(descriptor_->name, doing, [&] { return std::forward<F>(work)(*instance_); });
  }

 private:
  [[nodiscard]] Error too_old_for(std::string_view doing) const;
  /// The result, if require_sound() has no objection (returned_result.h).
  [[nodiscard]] Result sound(Result result, const Call& call) const;
  [[nodiscard]] Phase phase_of(std::string_view doing) const;

  const ModuleDescriptor* descriptor_;
  Observer* observer_ = nullptr;
  std::string member_;
  std::optional<std::size_t> place_;
  std::unique_ptr<Module, void (*)(Module*) noexcept> instance_;
};

/// Trust, note, dlopen(RTLD_NOW|RTLD_LOCAL), symbol, descriptor. Three distinct kinds of Error:
/// absent (find_type), unusable (with dlerror's text), ABI mismatch. The library stays open until
/// the process ends. Cache opens each only once.
const ModuleDescriptor& open(const std::string& name, const std::string& path,
                             const std::string& executable, Abis accepted = kAcceptedAbis);
/// open() and create.
LoadedModule load(const std::string& name, const std::string& path, const std::string& executable,
                  Abis accepted = kAcceptedAbis);

}  // namespace unicni::module
