// unictl install: the folder of plugins that a runtime is given.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "app/application.h"
#include "app/own_place.h"
#include "bin_folder.h"
#include "module/module_file.h"
#include "module/registry.h"
#include "module/trust.h"
#include "module_look.h"
#include "place.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

namespace fs = std::filesystem;
using app::Cell;

const app::TableShape& table() {
  static const app::TableShape shape{
      "files",
      nullptr,
      app::Form::rows,
      {{"name", "NAME", "string", "the plugin, or the file below the folder"},
       {"action", "ACTION", "string",
        "link, copy, leave (it is as it should be), keep (a foreign file gets another name), "
        "restore (it gets its name back) or remove"},
       {"path", "PATH", "string", "the file that is made, kept or removed"}}};
  return shape;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

class Install final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.value(folder_, "--bin-dir", "FOLDER",
                  "The folder that the runtime looks for plugins in, such as /opt/cni/bin; it is "
                  "made if it isn't there");
    options.flag(copies_, "--copy",
                 "Copy the executable and, to unicni-modules below the folder, the modules, for a "
                 "folder that is seen elsewhere without the rest of the installation");
    options.flag(
        forces_, "--force",
        "Replace plugins of other makers, and keep them as .NAME.before-unicni; what is kept "
        "already stays, and the next is .NAME.before-unicni.2");
    options.flag(restores_, "--uninstall",
                 "Remove what is unicni's from the folder and put back what was kept first");
    options.flag(is_dry_, "--dry-run", "Tell what would be done and do nothing");
    options.value(executable_, "--executable", "FILE",
                  "The executable unicni to install; without it, the one that is installed with "
                  "unictl");
    options.exclude("--copy", "--uninstall");
    options.exclude("--force", "--uninstall");
  }

  app::ExitStatus run(app::Output& output) override {
    if (folder_.empty()) {
      output.fail({Code::invalid_environment, "no folder is named",
                   "name the runtime's folder of plugins: --bin-dir /opt/cni/bin"});
      return app::ExitStatus::usage;
    }
    executable_path_ = resolved(executable_.value_or(app::own_executable()));
    report_.add_table(table());
    const BinFolder folder(
        fs::absolute(folder_).lexically_normal().string(), is_dry_,
        [&](std::string_view name, const char* what, const std::string& path) {
          report_.add_row({Cell::text(name), Cell::text(what), Cell::text(path)});
        });
    is_own_ = resolved(folder.path()) == fs::path(executable_path_).parent_path();
    if (is_own_ && (copies_ || restores_)) {
      throw Error(Code::invalid_environment,
                  fmt::format("{} is the folder of the executable itself", folder.path()),
                  "name another folder, or the executable that is meant (--executable)");
    }
    if (restores_) {
      std::optional<sys::Lock> lock;
      if (folder.exists()) {
        lock = folder.hold();
      } else {
        output.warn(fmt::format("there is no folder {}, so nothing is done", folder.path()));
      }
      if (const auto left = folder.restore(); !left.empty()) {
        output.warn(fmt::format(
            "these stay in {}, as another plugin has their place: {}; remove what nobody needs",
            folder.path(), joined(left)));
      }
    } else {
      install(folder, output);
    }
    output.put(report_);
    return app::ExitStatus::done;
  }

 private:
  /// Those that the executable would load: name → file.
  [[nodiscard]] std::map<std::string, std::string> loadable(const app::Output& output) const {
    std::map<std::string, std::string> modules;
    std::map<std::string, std::string> seen;
    const ModuleLook judge(executable_path_);
    const auto folders = module::module_folders(executable_path_, {});
    for (const std::string& folder : folders) {
      for (const std::string& name : module::modules_in(folder)) {
        const auto path = module::find_file(folder, name);
        if (!path || !seen.emplace(name, *path).second) continue;
        const Look look = judge.at(name, *path);
        if (look.refusal.empty()) {
          modules.emplace(name, *path);
        } else {
          output.warn(fmt::format("{} is left out: module {} {}", name, *path, look.refusal));
        }
      }
    }
    if (modules.empty()) {
      throw Error(
          Code::invalid_config, fmt::format("there is no loadable module in {}", joined(folders)),
          "name the executable unicni (--executable); \"unictl modules\" says what is wrong "
          "with its modules");
    }
    return modules;
  }

  void install(const BinFolder& folder, const app::Output& output) const {
    if (std::error_code error; !fs::is_regular_file(executable_path_, error)) {
      throw Error(Code::invalid_config, fmt::format("there is no executable {}", executable_path_),
                  "name the executable unicni (--executable)");
    }
    const auto modules = loadable(output);
    std::vector<std::string> names;
    if (!is_own_) names.emplace_back("unicni");
    for (const auto& [name, path] : modules) names.push_back(name);
    folder.require_room(names);
    if (const auto foreign = folder.foreign(names); !forces_ && !foreign.empty()) {
      throw Error(
          Code::internal,
          fmt::format("{} has plugins of other makers: {}", folder.path(), joined(foreign)),
          "with --force they are kept as .NAME.before-unicni and --uninstall puts them back");
    }
    if (!is_dry_) sys::ensure_folder(folder.path(), 0755);
    const auto lock = folder.hold();
    if (copies_) copy(folder, modules);
    for (const std::string& name : names) {
      if (copies_ && name == "unicni") continue;
      folder.link(name, copies_ ? "unicni" : executable_path_);
    }
    if (!copies_ && !is_own_) remove_former_copy(folder, names, output);
    names.emplace_back("unicni");
    if (const auto others = folder.links_besides(names); !others.empty()) {
      output.warn(fmt::format(
          "these links of an earlier unicni have no module in this one, and stay so that their "
          "containers can be taken down: {}",
          joined(others)));
    }
  }

  /// Links lead to an executable that has its modules elsewhere.
  void remove_former_copy(const BinFolder& folder, const std::vector<std::string>& names,
                          const app::Output& output) const {
    const std::string below = fmt::format("{}/{}", folder.path(), kCopiedModules);
    std::error_code error;
    if (!fs::exists(below, error)) return;
    if (folder.has_copies_besides(names)) return;  // which load them
    folder.remove_modules(&names);
    if (is_dry_ || !fs::exists(below, error)) return;
    output.warn(fmt::format("{} stays, with what is no copy of a module of this unicni: {}", below,
                            joined(sys::list_folder(below))));
  }

  /// The executable first: a later one takes the modules of an earlier one, and not the reverse.
  void copy(const BinFolder& folder, const std::map<std::string, std::string>& modules) const {
    if (!is_dry_) require_trusted(folder.path());
    folder.copy("unicni", executable_path_, 0755);
    const std::string below = fmt::format("{}/{}", folder.path(), kCopiedModules);
    if (!is_dry_) {
      sys::ensure_folder(below, 0755);
      require_trusted(below);
    }
    for (const auto& [name, path] : modules) {
      const std::string file = fs::path(path).filename();
      folder.copy(fmt::format("{}/{}", kCopiedModules, file), path, 0644);
      // Of an earlier copy: it would be asked for before the one that was copied now.
      if (const std::string own = module::file_names(name).front(); own != file)
        folder.remove(fmt::format("{}/{}", kCopiedModules, own));
    }
  }

  /// Modules are loaded only from where nobody else can write.
  void require_trusted(const std::string& path) const {
    if (const auto wrong = module::distrust_settings(path, executable_path_)) {
      throw Error(Code::internal,
                  fmt::format("modules in {} would be refused: {}", path, wrong->why),
                  wrong->advice);
    }
  }

  std::string folder_;
  std::optional<std::string> executable_;
  bool copies_ = false;
  bool forces_ = false;
  bool restores_ = false;
  bool is_dry_ = false;
  bool is_own_ = false;
  std::string executable_path_;
  app::Report report_;
};

}  // namespace

app::VerbText install_verb() {
  return {"install",
          "Put the plugins into a runtime's folder",
          "Makes a link to the executable for every module that it would load, and for unicni "
          "itself. Each file is replaced in one step, so containers may come and go meanwhile. A "
          "plugin of another maker is replaced only with --force.",
          "unictl install --bin-dir /opt/cni/bin\n"
          "unictl install --bin-dir /host/opt/cni/bin --copy --force\n"
          "unictl install --bin-dir /opt/cni/bin --uninstall --dry-run",
          {&table()},
          app::make_verb<Install>};
}

}  // namespace unicni::unictl
