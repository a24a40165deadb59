#include "module_look.h"

#include <fmt/core.h>

#include "module/note.h"
#include "module/trust.h"
#include "unicni/error.h"

namespace unicni::unictl {

Look look_at(const std::string& name, const std::string& path, const std::string& executable) {
  Look look;
  const auto attempt = [&](const auto& step) {
    try {
      step();
    } catch (const Error& error) {
      if (!look.refusal.empty()) return;
      // The path has a column of its own.
      const std::string prefix = fmt::format("module {} ", path);
      look.refusal =
          error.msg().starts_with(prefix) ? error.msg().substr(prefix.size()) : error.msg();
    }
  };
  attempt([&] { module::require_trusted(path, executable); });
  attempt([&] {
    look.note = module::read_note(path);
    module::require_compatible(*look.note, name, path);
  });
  return look;
}

}  // namespace unicni::unictl
