// unictl modules: which modules there are, and whether the executable would load them.
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include "app/application.h"
#include "app/own_place.h"
#include "module/module_file.h"
#include "module/registry.h"
#include "module_look.h"
#include "place.h"
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
        "loadable, refused, shadowed by the file of this module that is asked for before, or "
        "passed "
        "over as one for executables of another module interface"},
       {"reason", "REASON", "string or null", "why it is not loadable"},
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

/// As the executable would name it; without a slash at its end.
std::string absolute(const std::string& folder) {
  std::string path = std::filesystem::absolute(folder).lexically_normal();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
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
    // Who can write the folders above counts as well, and those a relative path doesn't name.
    for (std::string& folder : folders_) folder = absolute(folder);
    const ModuleLook look(resolved(executable));
    for (const std::string& folder : folders_) list(folder, look);
    if (!found_any_) throw none();
    output.put(report_);
    return found_refused_ ? app::ExitStatus::failed : app::ExitStatus::done;
  }

 private:
  void list(const std::string& folder, const ModuleLook& look) {
    struct Named {
      module::ModuleFile parsed;
      std::string path;
    };
    std::vector<Named> files;
    for (const std::string& file : sys::list_folder(folder)) {
      if (auto parsed = module::parse_file_name(file))
        files.push_back({*std::move(parsed), folder + '/' + file});
    }
    // Of a module's files the one comes first that the executable asks for first.
    std::sort(files.begin(), files.end(), [](const Named& a, const Named& b) {
      return std::make_tuple(std::cref(a.parsed.module), !a.parsed.abi, a.parsed.abi) <
             std::make_tuple(std::cref(b.parsed.module), !b.parsed.abi, b.parsed.abi);
    });
    for (const Named& file : files) {
      if (file.parsed.abi.value_or(UNICNI_ABI) != UNICNI_ABI) {
        add_row(file.parsed.module, file.path, look.at(file.parsed.module, file.path),
                {"passed over",
                 fmt::format("for executables of module interface {} alone", *file.parsed.abi),
                 Tone::faint});
      } else {
        judge(file.parsed.module, file.path, look.at(file.parsed.module, file.path));
      }
    }
  }

  struct Verdict {
    const char* word;
    std::optional<std::string> reason;
    Tone tone;
  };

  void judge(const std::string& name, const std::string& path, const Look& look) {
    const auto [first, is_first] = seen_.emplace(name, path);
    if (!is_first) {
      add_row(name, path, look, {"shadowed", "by " + first->second, Tone::faint});
    } else if (!look.refusal.empty()) {
      add_row(name, path, look, {"refused", look.refusal, Tone::bad});
      found_refused_ = true;
    } else {
      add_row(name, path, look, {"loadable", std::nullopt, Tone::good});
    }
  }

  void add_row(const std::string& name, const std::string& path, const Look& look,
               const Verdict& verdict) {
    const bool has_note = look.note.has_value();
    report_.add_row({Cell::text(name),
                     Cell::text_or_none(has_note ? kind_word(look.note->kind) : std::nullopt),
                     has_note ? Cell::text(look.note->version) : Cell(),
                     has_note ? Cell::number(look.note->abi) : Cell(),
                     Cell::text_or_none(owner_of(path)), Cell::text(verdict.word, verdict.tone),
                     Cell::text_or_none(verdict.reason), Cell::text(path)});
    found_any_ = true;
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
  bool found_any_ = false;
  bool found_refused_ = false;
};

}  // namespace

app::VerbText modules_verb() {
  return {"modules",
          "List the modules, and whether the executable would load them",
          "A module is judged by its file alone: who can write it, what its ELF note says, and "
          "whether the executable and the libraries that it needs have the symbols that it takes. "
          "Nothing of it is run.\n"
          "The status is 1 if a module is refused.",
          "unictl modules\n"
          "unictl modules --json | jq -r '.modules[] | select(.verdict == \"refused\") | .name'\n"
          "unictl modules --folder /opt/cni/bin/unicni-modules",
          {&table()},
          app::make_verb<Modules>};
}

}  // namespace unicni::unictl
