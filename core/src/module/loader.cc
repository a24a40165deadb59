#include "module/loader.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <system_error>

#include "module/missing_symbol.h"
#include "module/module_file.h"
#include "module/note.h"
#include "module/returned_result.h"
#include "module/trust.h"
#include "unicni/error.h"

namespace unicni::module {
namespace {

namespace dll = boost::dll;

/// dlerror's own text out of Boost's what(): "… (dlerror system message: <text>): Bad file
/// descriptor".
std::string loader_text(std::string_view what) {
  constexpr std::string_view kMark = "(dlerror system message: ";
  const auto mark = what.find(kMark);
  const auto end = what.rfind("): ");
  if (mark == what.npos || end == what.npos || end < mark + kMark.size()) return std::string(what);
  return std::string(what.substr(mark + kMark.size(), end - mark - kMark.size()));
}

dll::shared_library open_library(const std::string& path, const ModuleNote& note) {
  // RTLD_NODELETE, which Boost has no name for but passes on: code and constants of a module (its
  // option table, texts in exceptions) are used until the process ends, although the handle goes
  // out of scope.
  constexpr auto kMode = static_cast<dll::load_mode::type>(
      dll::load_mode::rtld_now | dll::load_mode::rtld_local | RTLD_NODELETE);
  try {
    return dll::shared_library(path, kMode);
  } catch (const std::system_error& error) {
    throw cannot_open(path, loader_text(error.what()), note);
  }
}

/// The symbol has the module's name in it, so two modules in one process can't be taken for each
/// other.
const ModuleDescriptor& find_descriptor(dll::shared_library& library, const std::string& name,
                                        const std::string& path) {
  try {
    return library.get<const ModuleDescriptor>(descriptor_symbol(name));
  } catch (const std::system_error& error) {
    throw unusable(path, loader_text(error.what()),
                   "end the module's source with the macro UNICNI_MODULE (unicni/module.h)");
  }
}

/// Every descriptor has these since interface 2; what was added later only those whose size says
/// so.
constexpr std::size_t kSmallestDescriptor =
    offsetof(ModuleDescriptor, destroy) + sizeof(ModuleDescriptor::destroy);

/// The note promised all this already; but the note is text beside the code, and only the
/// descriptor is the code. Number before size: that of another interface is of another form.
void require_fit(const ModuleDescriptor& found, const std::string& name, const std::string& path,
                 const ModuleNote& note, Abis accepted) {
  require_abi(path, found.abi, note.version, accepted);
  if (found.size < kSmallestDescriptor) {
    throw another_abi(path, fmt::format("its descriptor has {} bytes", found.size),
                      fmt::format("{} or more", kSmallestDescriptor), note.version);
  }
  require_toolchain(path, found.toolchain == nullptr ? "" : found.toolchain, note.version);
  const bool complete = found.name != nullptr && found.version != nullptr &&
                        found.built_for != nullptr && found.spec_versions != nullptr &&
                        found.capabilities != nullptr && found.create != nullptr &&
                        found.destroy != nullptr;
  if (!complete || name != found.name) {
    throw unusable(path,
                   fmt::format("its descriptor is incomplete or not of \"{}\" but of \"{}\"", name,
                               found.name == nullptr ? "" : found.name),
                   "make the descriptor with unicni::module_descriptor()");
  }
}

constexpr std::string_view kValidation = "validation";

/// A constructor of a module runs here for the first time: whatever it throws becomes an error that
/// names the module.
Module* create(const ModuleDescriptor& descriptor) {
  return guarded(descriptor.name, "its creation", [&] {
    Module* instance = descriptor.create();
    if (instance == nullptr) throw Error(Code::internal, "create() of the module returned nothing");
    return instance;
  });
}

}  // namespace

LoadedModule::LoadedModule(const ModuleDescriptor& descriptor)
    : descriptor_(&descriptor), instance_(create(descriptor), descriptor.destroy) {}

bool LoadedModule::has_capability(std::string_view name) const {
  for (const auto* capability = descriptor_->capabilities; *capability != nullptr; ++capability) {
    if (name == *capability) return true;
  }
  return false;
}

Error LoadedModule::too_old_for(std::string_view doing) const {
  return {Code::incompatible_version,
          fmt::format("{}: the module is built for module interface {}, which has no {}",
                      descriptor_->name, descriptor_->abi, doing),
          fmt::format("rebuild the module (version {}) with the headers of this unicni {}",
                      descriptor_->version, UNICNI_VERSION)};
}

Phase LoadedModule::phase_of(std::string_view doing) const {
  if (doing == kValidation) return Phase::validate;
  return descriptor_->kind == ModuleKind::ipam ? Phase::ipam : Phase::module;
}

/// Who delegates hands on what another plugin made. If that is a module, it was looked at; of a
/// program we take what libcni takes.
Result LoadedModule::sound(Result result, const Call& call) const {
  if (has_trait(Trait::delegates)) return result;
  try {
    require_sound(result, call);
  } catch (Error& error) {
    throw error.in_step(descriptor_->name);
  }
  return result;
}

/// The number is that of the interface in which the method came. All of these came with 2; a later
/// one is refused for an older module instead of calling past the end of its vtable.
void LoadedModule::validate(const Call& now) {
  call(2, kValidation, [&](Module& module) { module.validate(now); });
}

Result LoadedModule::add(const Call& now, Host& host) {
  return sound(call(2, "ADD", [&](Module& module) { return module.add(now, host); }), now);
}

void LoadedModule::del(const Call& now, Host& host) {
  call(2, "DEL", [&](Module& module) { module.del(now, host); });
}

void LoadedModule::check(const Call& now, Host& host) {
  call(2, "CHECK", [&](Module& module) { module.check(now, host); });
}

void LoadedModule::gc(const Call& now, Host& host) {
  call(2, "GC", [&](Module& module) { module.gc(now, host); });
}

void LoadedModule::status(const Call& now, Host& host) {
  call(2, "STATUS", [&](Module& module) { module.status(now, host); });
}

Result LoadedModule::update(const Call& now, const Call& was, Host& host) {
  return sound(call(2, "update", [&](Module& module) { return module.update(now, was, host); }),
               now);
}

int LoadedModule::command(int argc, const char* const* argv) {
  return call(2, "command", [&](Module& module) { return module.command(argc, argv); });
}

/// Each check stands before what it protects: trust before the file is read, the note before
/// dlopen() runs constructors, the descriptor before a method is called.
const ModuleDescriptor& open(const std::string& name, const std::string& path,
                             const std::string& executable, Abis accepted) {
  if (!valid_module_name(name)) {
    throw Error(Code::invalid_config, fmt::format("\"{}\" can't be the name of a module", name),
                "correct \"type\": names of modules match ^[a-z0-9][a-z0-9-]{0,30}$");
  }
  require_trusted(path, executable);
  const ModuleNote note = read_note(path);
  require_compatible(note, name, path, accepted);
  auto library = open_library(path, note);
  const auto& descriptor = find_descriptor(library, name, path);
  require_fit(descriptor, name, path, note, accepted);
  return descriptor;
}

LoadedModule load(const std::string& name, const std::string& path, const std::string& executable,
                  Abis accepted) {
  return LoadedModule(open(name, path, executable, accepted));
}

}  // namespace unicni::module
