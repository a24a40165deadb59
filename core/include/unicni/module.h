// The module interface: what a shared object offers and how it is found to fit. A module is one
// class behind one exported constant, made by UNICNI_MODULE at the end of its main file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#if __has_include(<fmt/core.h>)
#include <fmt/core.h>
#endif

#include "unicni/call.h"
#include "unicni/host.h"
#include "unicni/options.h"
#include "unicni/result.h"

/// The number of the module interface: Module, Host and what they pass around. Raised by hand when
/// one of them grows; tests/loader holds what belongs to each number, and abi_hashes.txt the rule.
#define UNICNI_ABI 2

/// A module's own version, at most 31 characters: that of unicni if it is one of its own. Others
/// define it before this header, or say unicni_add_module(NAME VERSION 1.2).
#ifndef UNICNI_MODULE_VERSION
#define UNICNI_MODULE_VERSION UNICNI_VERSION
#endif

#define UNICNI_TEXT_(x) #x
#define UNICNI_TEXT(x) UNICNI_TEXT_(x)

// What std::string and std::list are, where libstdc++ is, what watches memory, and which fmt's
// names fmt::format() becomes. The compiler's version isn't part of it: GCC 12 calls its ABI 1017,
// Clang 14 its own 1002, and what either makes fits the other.
#if defined(__SANITIZE_THREAD__)
#define UNICNI_SANITIZER_TAG "+tsan"
#elif defined(__SANITIZE_ADDRESS__)
#define UNICNI_SANITIZER_TAG "+asan"
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNICNI_SANITIZER_TAG "+tsan"
#elif __has_feature(address_sanitizer)
#define UNICNI_SANITIZER_TAG "+asan"
#endif
#endif
#ifndef UNICNI_SANITIZER_TAG
#define UNICNI_SANITIZER_TAG ""
#endif
#ifdef _GLIBCXX_DEBUG  // containers of another size
#define UNICNI_CONTAINER_TAG "+debug"
#else
#define UNICNI_CONTAINER_TAG ""
#endif
// fmt's names lie in an inline namespace of its major version.
#ifndef FMT_VERSION
#define UNICNI_FMT_TAG ""
#elif FMT_VERSION < 90000
#define UNICNI_FMT_TAG ":fmt=" UNICNI_TEXT(FMT_VERSION)
#elif FMT_VERSION < 100000
#define UNICNI_FMT_TAG ":fmt=v9"
#elif FMT_VERSION < 110000
#define UNICNI_FMT_TAG ":fmt=v10"
#elif FMT_VERSION < 120000
#define UNICNI_FMT_TAG ":fmt=v11"
#elif FMT_VERSION < 130000
#define UNICNI_FMT_TAG ":fmt=v12"
#else
#define UNICNI_FMT_TAG ":fmt=" UNICNI_TEXT(FMT_VERSION)
#endif
/// Unequal text between executable and module is refused; a module may lack fmt.
#define UNICNI_TOOLCHAIN                                                                           \
  "cxx11=" UNICNI_TEXT(_GLIBCXX_USE_CXX11_ABI) ":libstdc++=" UNICNI_LIBSTDCXX UNICNI_SANITIZER_TAG \
      UNICNI_CONTAINER_TAG UNICNI_FMT_TAG

// The assembler, which makes the note, knows no enumerators.
#define UNICNI_KIND_link 1
#define UNICNI_KIND_ipam 2
#define UNICNI_KIND_chained 3

namespace unicni {

enum class ModuleKind : std::uint32_t {
  link = UNICNI_KIND_link,
  ipam = UNICNI_KIND_ipam,
  chained = UNICNI_KIND_chained,
};

/// What core must know of a module before it calls it. Bits.
enum class Trait : std::uint32_t {
  none = 0,
  needs_link = 1,  ///< IPAM that talks through the container's link: Ipam::needs_link()
  stateless = 2,   ///< it announces no Undo, so its attachments have no journal
  /// A chained module whose Undo belongs to the container's namespace, which the journal then
  /// names.
  enters_container = 4,
  delegates = 8,  ///< it uses Host::delegate(), whose IPAM the "ipam" is: it has none of its own
};
constexpr Trait operator|(Trait a, Trait b) {
  return static_cast<Trait>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has_trait(Trait traits, Trait wanted) {
  return (static_cast<std::uint32_t>(traits) & static_cast<std::uint32_t>(wanted)) != 0;
}

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
  /// Makes a living attachment what `now` says, without a gap for its traffic; `was` is the call
  /// that made it, with the options of then. Changes are announced as in add(); failure leaves what
  /// was. Returns the result as add() would for `now`. A key that can't change alive is refused
  /// with Code::unsupported_field. Default: Code::incompatible_version, the code of a verb that
  /// isn't offered: whoever asks may DEL and ADD.
  virtual Result update(const Call& now, const Call& was, Host&);
  /// The module's own command line, such as a daemon's: `bridge daemon --foreground` has argv
  /// {"daemon", "--foreground"}. No CNI verb: nothing of CNI_* is given, stdin, stdout and the
  /// exit status, which it returns, are its own. Default: Error(Code::invalid_environment) whose
  /// details say how the plugin is used.
  virtual int command(int argc, const char* const* argv);
  // Append only: what a later number adds stands here.
};

/// Only grows at its end; `size` tells how much an older module has.
struct ModuleDescriptor {
  std::uint32_t size;
  std::uint32_t abi;
  const char* toolchain;
  const char* built_for;  ///< version of the unicni whose headers it was built with
  const char* name;       ///< the "type"
  const char* version;    ///< its own
  ModuleKind kind;
  Trait traits;
  const char* const* spec_versions;  ///< ended by nullptr; kAllSpecVersions for most
  const char* const* capabilities;   ///< runtimeConfig keys it takes, ended by nullptr
  const OptionTable* options;        ///< nullptr: none
  Module* (*create)();
  void (*destroy)(Module*) noexcept;
};

inline constexpr const char* kAllSpecVersions[] = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                                   "0.4.0", "1.0.0", "1.1.0", nullptr};
inline constexpr const char* kNoCapabilities[] = {nullptr};

/// What a module says of itself beside name and kind; see ModuleDescriptor.
struct ModuleFacts {
  const OptionTable* options = nullptr;
  Trait traits = Trait::none;
  const char* const* capabilities = kNoCapabilities;
  const char* const* spec_versions = kAllSpecVersions;
};

/// The ELF note that the registry reads without dlopen: name "unicni", type kModuleNoteType,
/// descriptor = this struct. Only grows at its end; up to `toolchain` it is that of interface 1.
inline constexpr std::uint32_t kModuleNoteType = 1;
struct ModuleNote {
  std::uint32_t abi;
  std::uint32_t kind;
  char name[32];  // zero-terminated, here and below
  char version[32];
  char toolchain[96];
  char built_for[32];
};

/// A module's name from its symbol, which has '_' for '-'; zero-terminated. Anything that can't be
/// one doesn't compile.
using ModuleName = std::array<char, sizeof ModuleNote::name>;
consteval ModuleName module_name(std::string_view symbol) {
  ModuleName name{};
  if (symbol.empty() || symbol.size() >= name.size()) throw "a name has 1 to 31 characters";
  for (std::size_t i = 0; i < symbol.size(); ++i) {
    const char c = symbol[i];
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!plain && (c != '_' || i == 0)) throw "a name has lower-case letters, digits and '-'";
    name[i] = c == '_' ? '-' : c;
  }
  return name;
}

template <class T>
constexpr ModuleDescriptor module_descriptor(const ModuleName& name, ModuleKind kind,
                                             const ModuleFacts& facts) {
  return ModuleDescriptor{sizeof(ModuleDescriptor),
                          UNICNI_ABI,
                          UNICNI_TOOLCHAIN,
                          UNICNI_VERSION,
                          name.data(),
                          UNICNI_MODULE_VERSION,
                          kind,
                          facts.traits,
                          facts.spec_versions,
                          facts.capabilities,
                          facts.options,
                          []() -> Module* { return new T(); },
                          [](Module* module) noexcept { delete module; }};
}

}  // namespace unicni

// UNICNI_MODULE(symbol, kind, class, facts...) makes the ELF note and the exported constant
// unicni_module_<symbol>. The symbol is the module's name with '_' for '-', the kind an enumerator
// of ModuleKind, the facts are members of ModuleFacts in their order:
//   UNICNI_MODULE(host_local, ipam, unicni::HostLocal, .options = &unicni::kHostLocalOptions);
#define UNICNI_MODULE(symbol, kind, T, ...)                                                       \
  UNICNI_MODULE_NOTE(symbol, kind);                                                               \
  static constexpr unicni::ModuleName unicni_name_of_##symbol = unicni::module_name(#symbol);     \
  static_assert(sizeof UNICNI_MODULE_VERSION <= sizeof unicni::ModuleNote::version);              \
  extern "C" __attribute__((visibility("default")))                                               \
  const unicni::ModuleDescriptor unicni_module_##symbol;                                          \
  constinit const unicni::ModuleDescriptor unicni_module_##symbol = unicni::module_descriptor<T>( \
      unicni_name_of_##symbol, unicni::ModuleKind::kind, {__VA_ARGS__})

// The note is assembler because only so its section surely is SHT_NOTE, which PT_NOTE needs; .irpc
// spells the name.
#define UNICNI_MODULE_NOTE(symbol, kind) \
  __asm__(                                                                                         \
      ".pushsection .note.unicni,\"aR\",@note\n"                                                    \
      ".balign 4\n"                                                                                \
      ".long 7, 200, 1\n"                                                                          \
      ".asciz \"unicni\"\n.balign 4\n"                                                             \
      ".long " UNICNI_TEXT(UNICNI_ABI) ", " UNICNI_TEXT(UNICNI_KIND_##kind) "\n"                   \
      "1: .irpc letter," #symbol "\n"                                                              \
      ".ifc \\letter,_\n.byte '-'\n.else\n.ascii \"\\letter\"\n.endif\n"                           \
      ".endr\n.org 1b + 32, 0\n"                                                                  \
      "2: .asciz \"" UNICNI_MODULE_VERSION "\"\n.org 2b + 32, 0\n"                                \
      "3: .asciz \"" UNICNI_TOOLCHAIN "\"\n.org 3b + 96, 0\n"                                     \
      "4: .asciz \"" UNICNI_VERSION "\"\n.org 4b + 32, 0\n"                                       \
      ".popsection\n")
