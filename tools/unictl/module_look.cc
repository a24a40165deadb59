#include "module_look.h"

#include <fmt/core.h>

#include <utility>

#include "module/missing_symbol.h"
#include "module/note.h"
#include "module/trust.h"
#include "unicni/error.h"

namespace unicni::unictl {

ModuleLook::ModuleLook(std::string executable) : executable_(std::move(executable)) {
  try {
    offered_.emplace(executable_);
  } catch (const Error&) {
    offered_.reset();
  }
}

Look ModuleLook::at(const std::string& name, const std::string& path) const {
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
  attempt([&] { module::require_trusted(path, executable_); });
  attempt([&] {
    look.note = module::read_note(path);
    module::require_compatible(*look.note, name, path);
    if (!offered_) return;
    if (const auto missing = offered_->find_missing(name, path))
      throw module::cannot_open(path, *missing, *look.note);
  });
  return look;
}

}  // namespace unicni::unictl
