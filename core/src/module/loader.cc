#include "module/loader.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <system_error>

#include "module/guard.h"
#include "module/refusal.h"
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

dll::shared_library open_library(const std::string& path) {
  // RTLD_NODELETE, which Boost has no name for but passes on: code and constants of a module (its
  // option table, texts in exceptions) are used until the process ends, although the handle goes
  // out of scope.
  constexpr auto kMode = static_cast<dll::load_mode::type>(
      dll::load_mode::rtld_now | dll::load_mode::rtld_local | RTLD_NODELETE);
  try {
    return dll::shared_library(path, kMode);
  } catch (const std::system_error& error) {
    throw unusable(
        path, loader_text(error.what()),
        "install the module again; an undefined symbol means that it needs a newer unicni "
        "or a library that it isn't linked with");
  }
}

const ModuleDescriptor& find_descriptor(dll::shared_library& library, const std::string& name,
                                        const std::string& path) {
  std::string symbol = "unicni_module_" + name;
  std::replace(symbol.begin(), symbol.end(), '-', '_');
  try {
    return library.get<const ModuleDescriptor>(symbol);
  } catch (const std::system_error& error) {
    throw unusable(path, loader_text(error.what()),
                   "a module ends with the macro UNICNI_MODULE (unicni/module.h)");
  }
}

/// The note promised all this already; but the note is text beside the code, and only the
/// descriptor is the code.
void require_fit(const ModuleDescriptor& found, const std::string& name, const std::string& path) {
  if (found.size < sizeof(ModuleDescriptor)) {
    throw mismatch(path, "descriptor's size", std::to_string(found.size),
                   fmt::format("{} or more", sizeof(ModuleDescriptor)), "unknown");
  }
  const auto* version = found.version == nullptr ? "unknown" : found.version;
  require_abi(path, found.abi, found.toolchain == nullptr ? "" : found.toolchain, version);
  const bool complete = found.name != nullptr && found.version != nullptr &&
                        found.spec_versions != nullptr && found.capabilities != nullptr &&
                        found.create != nullptr && found.destroy != nullptr;
  if (!complete || name != found.name) {
    throw unusable(path,
                   fmt::format("its descriptor is incomplete or not of \"{}\" but of \"{}\"", name,
                               found.name == nullptr ? "" : found.name),
                   "make the descriptor with unicni::module_descriptor()");
  }
}

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

void LoadedModule::validate(const Call& call) {
  guarded(descriptor_->name, "validation", [&] { instance_->validate(call); });
}

Result LoadedModule::add(const Call& call, Host& host) {
  return guarded(descriptor_->name, "ADD", [&] { return instance_->add(call, host); });
}

void LoadedModule::del(const Call& call, Host& host) {
  guarded(descriptor_->name, "DEL", [&] { instance_->del(call, host); });
}

void LoadedModule::check(const Call& call, Host& host) {
  guarded(descriptor_->name, "CHECK", [&] { instance_->check(call, host); });
}

void LoadedModule::gc(const Call& call, Host& host) {
  guarded(descriptor_->name, "GC", [&] { instance_->gc(call, host); });
}

void LoadedModule::status(const Call& call, Host& host) {
  guarded(descriptor_->name, "STATUS", [&] { instance_->status(call, host); });
}

LoadedModule load(const std::string& name, const std::string& path, const std::string& executable) {
  if (!valid_module_name(name)) {
    throw Error(Code::invalid_config, fmt::format("\"{}\" can't be the name of a module", name),
                "names of modules match ^[a-z0-9][a-z0-9-]{0,31}$");
  }
  require_trusted(path, executable);
  require_compatible(read_note(path), name, path);
  auto library = open_library(path);
  const auto& descriptor = find_descriptor(library, name, path);
  require_fit(descriptor, name, path);
  return LoadedModule(descriptor);
}

LoadedModule load(const Found& found, const std::string& executable) {
  return load(found.module, found.module_path, executable);
}

}  // namespace unicni::module
