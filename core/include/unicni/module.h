// The module interface: what a shared object offers and how it is found to fit. A module is one
// class behind one exported constant, made by UNICNI_MODULE at the end of its main file.
#pragma once

#include <cstdint>

#include "unicni/call.h"
#include "unicni/host.h"
#include "unicni/options.h"
#include "unicni/result.h"

/// Raised by hand whenever a module-facing header changes its meaning; tests/loader holds the
/// headers' hash for each.
#define UNICNI_ABI 1

#define UNICNI_TEXT_(x) #x
#define UNICNI_TEXT(x) UNICNI_TEXT_(x)

/// Compiler ABI, libstdc++ ABI and link model; unequal text between executable and module is
/// refused.
#ifdef __SANITIZE_THREAD__
#define UNICNI_SANITIZER_TAG "+tsan"
#else
#define UNICNI_SANITIZER_TAG ""
#endif
#define UNICNI_TOOLCHAIN                                                 \
  "cxxabi" UNICNI_TEXT(__GXX_ABI_VERSION) ":glibcxx-cxx11=" UNICNI_TEXT( \
      _GLIBCXX_USE_CXX11_ABI) ":libstdc++=" UNICNI_LIBSTDCXX UNICNI_SANITIZER_TAG

namespace unicni {

enum class ModuleKind : std::uint32_t { link = 1, ipam = 2, chained = 3 };

/// One instance serves one step of one verb. Verbs run in the calling thread, in the host's
/// namespace, and leave it there. Failure is an Error; any other exception becomes one with
/// Code::internal.
class Module {
 public:
  virtual ~Module();
  /// Everything that can be refused without touching the kernel. Called for all steps of a chain
  /// before the first acts (ADD, CHECK, GC, STATUS). DEL is never refused.
  virtual void validate(const Call&);
  virtual Result add(const Call&, Host&) = 0;
  /// Idempotent; works without netns, prevResult and journal. Undo records were replayed before:
  /// this removes what they didn't know of. Goes on past errors and throws the first at its end.
  virtual void del(const Call&, Host&) = 0;
  virtual void check(const Call&, Host&) = 0;
  virtual void gc(const Call&, Host&);      ///< default: nothing (the journal's own GC has run)
  virtual void status(const Call&, Host&);  ///< default: ready
  /// Later verbs by number, nullptr if not offered; never a new virtual in the middle of this
  /// class.
  virtual void* extension(std::uint32_t id);
};

/// Append-only: a field is never removed or moved; `size` tells how many an older module has.
struct ModuleDescriptor {
  std::uint32_t size;
  std::uint32_t abi;
  const char* toolchain;
  const char* name;  ///< the "type"
  ModuleKind kind;
  const char* version;
  const char* const* spec_versions;  ///< ended by nullptr; kAllSpecVersions for most
  /// runtimeConfig keys it takes, ended by nullptr; and traits: "needs-link" (Ipam::needs_link()),
  /// "stateless" (it announces no Undo, so its attachments have no journal), "enters-container" (a
  /// chained module whose Undo belongs to the container's namespace, which the journal then names),
  /// "delegates" (it uses Host::delegate(), whose IPAM the "ipam" is, so it has none of its own).
  const char* const* capabilities;
  const OptionTable* options;  ///< nullptr: none
  Module* (*create)();
  void (*destroy)(Module*) noexcept;
};

inline constexpr const char* kAllSpecVersions[] = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                                   "0.4.0", "1.0.0", "1.1.0", nullptr};
inline constexpr const char* kNoCapabilities[] = {nullptr};

/// The ELF note that the registry reads without dlopen: name "unicni", type kModuleNoteType,
/// descriptor = this struct.
inline constexpr std::uint32_t kModuleNoteType = 1;
struct ModuleNote {
  std::uint32_t abi;
  std::uint32_t kind;
  char name[32];  // zero-terminated, here and below
  char version[32];
  char toolchain[96];
};

template <class T>
constexpr ModuleDescriptor module_descriptor(const char* name, ModuleKind kind,
                                             const OptionTable* options,
                                             const char* const* capabilities = kNoCapabilities,
                                             const char* const* spec_versions = kAllSpecVersions) {
  return ModuleDescriptor{sizeof(ModuleDescriptor),
                          UNICNI_ABI,
                          UNICNI_TOOLCHAIN,
                          name,
                          kind,
                          UNICNI_VERSION,
                          spec_versions,
                          capabilities,
                          options,
                          []() -> Module* { return new T(); },
                          [](Module* module) noexcept { delete module; }};
}

}  // namespace unicni

// UNICNI_MODULE(symbol, "name", number of ModuleKind, descriptor expression): the exported constant
// unicni_module_<symbol> (the name with '-' as '_') and the ELF note. The note is assembler because
// only so its section surely is SHT_NOTE, which PT_NOTE needs.
#ifdef UNICNI_MODULE_IN_PROGRAM
#define UNICNI_MODULE_NOTE(name, kind)
#else
#define UNICNI_MODULE_NOTE(name, kind) \
  __asm__(                                                                                         \
      ".pushsection .note.unicni,\"aR\",@note\n"                                                    \
      ".balign 4\n"                                                                                \
      ".long 7, 168, 1\n"                                                                          \
      ".asciz \"unicni\"\n.balign 4\n"                                                             \
      ".long " UNICNI_TEXT(UNICNI_ABI) ", " UNICNI_TEXT(kind) "\n"                                  \
      "1: .asciz \"" name "\"\n.org 1b + 32, 0\n"                                                   \
      "2: .asciz \"" UNICNI_VERSION "\"\n.org 2b + 32, 0\n"                                         \
      "3: .asciz \"" UNICNI_TOOLCHAIN "\"\n.org 3b + 96, 0\n"                                       \
      ".popsection\n")
#endif

#define UNICNI_MODULE(symbol, name, kind, descriptor)    \
  UNICNI_MODULE_NOTE(name, kind);                        \
  extern "C" __attribute__((visibility("default")))      \
  const unicni::ModuleDescriptor unicni_module_##symbol; \
  constinit const unicni::ModuleDescriptor unicni_module_##symbol = descriptor
