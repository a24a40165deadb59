// unictl modules: which modules there are, and whether the executable would load them.
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "app/application.h"
#include "app/own_place.h"
#include "module/note.h"
#include "module/registry.h"
#include "module/trust.h"
#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/sys/file.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

using app::Cell;
using app::Tone;

const app::TableShape& table() {
  static const app::TableShape shape{
      "modules",
      nullptr,
      app::Form::rows,
      {{"name", "NAME", "string", "the plugin's type"},
       {"kind", "KIND", "string or null", "interface, ipam or chained"},
       {"version", "VERSION", "string or null", "the module's own version"},
       {"abi", "ABI", "integer or null", "number of the module interface that it is built for"},
       {"owner", "OWNER", "string or null", "user that the file belongs to"},
       {"verdict", "VERDICT", "string",
        "loadable, refused, or shadowed by the module of this name in an earlier folder"},
       {"reason", "REASON", "string or null", "why it is refused, or what shadows it"},
       {"path", "PATH", "string", "the file"}}};
  return shape;
}

/// nullopt: a number that this build doesn't know.
std::optional<std::string> kind_word(std::uint32_t kind) {
  switch (static_cast<ModuleKind>(kind)) {
    case ModuleKind::link:
      return "interface";
    case ModuleKind::ipam:
      return "ipam";
    case ModuleKind::chained:
      return "chained";
  }
  return std::nullopt;
}

std::string user_name(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> texts{};
  ::getpwuid_r(user, &entry, texts.data(), texts.size(), &found);
  return found == nullptr ? std::to_string(user) : found->pw_name;
}

std::optional<std::string> owner_of(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  return user_name(file.st_uid);
}

/// Modules are looked for beside the file itself, and links to it may be anywhere.
std::string resolved(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

/// What is known of a file without running anything of it.
struct Look {
  std::optional<ModuleNote> note;
  std::string refusal;  ///< "": it would be loaded
};

/// In the order in which loading refuses; the note is read also of a file that nobody may trust.
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

class Modules final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.value(executable_, "--executable", "FILE",
                  "The executable unicni whose modules are listed; without it, the one that is "
                  "installed with unictl");
    options.values(folders_, "--folder", "FOLDER",
                   "List the modules of this folder instead; may be given several times");
  }

  app::ExitStatus run(app::Output& output) override {
    const std::string executable = executable_.value_or(app::own_executable());
    if (folders_.empty()) folders_ = module::module_folders(resolved(executable), {});
    report_.add_table(table());
    for (const std::string& folder : folders_) list(folder, executable);
    if (seen_.empty()) throw none();
    output.put(report_);
    return found_refused_ ? app::ExitStatus::failed : app::ExitStatus::done;
  }

 private:
  void list(const std::string& folder, const std::string& executable) {
    constexpr std::string_view kSuffix = ".so";
    std::vector<std::string> files = sys::list_folder(folder);
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      if (!file.ends_with(kSuffix)) continue;
      add(file.substr(0, file.size() - kSuffix.size()), folder + '/' + file, executable);
    }
  }

  void add(const std::string& name, const std::string& path, const std::string& executable) {
    const Look look = look_at(name, path, executable);
    const auto [first, is_first] = seen_.emplace(name, path);
    const char* verdict = "loadable";
    std::optional<std::string> reason;
    if (!is_first) {
      verdict = "shadowed";
      reason = "by " + first->second;
    } else if (!look.refusal.empty()) {
      verdict = "refused";
      reason = look.refusal;
      found_refused_ = true;
    }
    const bool has_note = look.note.has_value();
    report_.add_row(
        {Cell::text(name), Cell::text_or_none(has_note ? kind_word(look.note->kind) : std::nullopt),
         has_note ? Cell::text(look.note->version) : Cell(),
         has_note ? Cell::number(look.note->abi) : Cell(), Cell::text_or_none(owner_of(path)),
         Cell::text(verdict, !is_first              ? Tone::faint
                             : look.refusal.empty() ? Tone::good
                                                    : Tone::bad),
         Cell::text_or_none(reason), Cell::text(path)});
  }

  [[nodiscard]] Error none() const {
    std::string folders;
    for (const std::string& folder : folders_) folders += (folders.empty() ? "" : ", ") + folder;
    return {Code::invalid_config, fmt::format("there is no module in {}", folders),
            "name the executable unicni (--executable) or a folder of modules (--folder)"};
  }

  std::optional<std::string> executable_;
  std::vector<std::string> folders_;
  app::Report report_;
  std::map<std::string, std::string> seen_;  // name → the file that serves
  bool found_refused_ = false;
};

}  // namespace

app::VerbText modules_verb() {
  return {"modules",
          "List the modules, and whether the executable would load them",
          "A module is judged by its file alone: who can write it, and what its ELF note says. "
          "Nothing of it is run, so symbols that the executable lacks are not noticed.\n"
          "The status is 1 if a module is refused.",
          "unictl modules\n"
          "unictl modules --json | jq -r '.modules[] | select(.verdict == \"refused\") | .name'\n"
          "unictl modules --folder /opt/cni/bin/unicni-modules",
          {&table()},
          app::make_verb<Modules>};
}

}  // namespace unicni::unictl
