// unictl new-module: a project of its own that builds a module, to start from.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "app/application.h"
#include "app/own_place.h"
#include "base/shell_word.h"
#include "chain/chain.h"
#include "module/module_file.h"
#include "module/registry.h"
#include "module_name.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".in";
class NewModule final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.operand(name_, "NAME",
                    "The \"type\" in a network configuration: a letter, then lower-case letters, "
                    "digits and '-'");
    options.choice(kind_, "--kind", {"interface", "ipam", "chained"},
                   "What it is: one that makes the container's interface, one that gives "
                   "addresses, or one that changes what another plugin made (the default)");
    options.value(
        folder_, "--out-of-tree", "FOLDER",
        "The folder that becomes the project; it is made, and refused if it is not empty; "
        "without this option it is ./NAME");
  }

  app::ExitStatus run(app::Output& output) override {
    const ModuleName name(name_);
    require_free(name);
    if (folder_.empty()) folder_ = name_;
    require_empty();
    const fs::path prefix =
        fs::path(app::own_executable()).parent_path().parent_path().parent_path();
    const fs::path templates = prefix / UNICNI_SHARE_IN_PREFIX / "module-template";
    const auto kind = files_of(templates / kind_);
    const auto project = files_of(templates / "out-of-tree");
    sys::ensure_folder(folder_, 0755);
    for (const std::string& path : kind) write(path, name);
    for (const std::string& path : project) write(path, name);
    output.write(fmt::format(
        "{} has a module to start from: its options in config.cc, its work in {}.cc.\n"
        "  cmake -S {source} -B {build} -DCMAKE_PREFIX_PATH={prefix}\n"
        "  cmake --build {build} && ctest --test-dir {build}\n"
        "  cmake --install {build} --prefix {prefix}\n"
        "  unictl install --bin-dir /opt/cni/bin   # or your runtime's folder: a link to "
        "it\n",
        folder_, name.snake(), fmt::arg("source", shell_word(folder_)),
        fmt::arg("build", shell_word(folder_ + "/build")),
        fmt::arg("prefix", shell_word(prefix.string()))));
    return app::ExitStatus::done;
  }

 private:
  void require_free(const ModuleName& name) const {
    const auto folders = module::module_folders(app::own_executable(), {});
    const bool is_taken =
        name.type() == chain::kChainType ||
        std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
          return module::find_file(folder, name.type()).has_value();
        });
    if (!is_taken) return;
    throw Error(Code::invalid_environment,
                fmt::format("there is a plugin \"{}\" already", name.type()),
                "choose a name that no module has: \"unictl modules\" lists them");
  }

  void require_empty() const {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(folder_, error))) return;
    if (fs::is_directory(folder_, error) && fs::is_empty(folder_, error) && !error) return;
    throw Error(Code::invalid_environment,
                fmt::format("{} is {}", folder_,
                            fs::is_directory(folder_, error) ? "there and not empty" : "no folder"),
                "name another folder (--out-of-tree)");
  }

  /// Templates with what only unicni's own tree can build left out: tests beside the code.
  [[nodiscard]] static std::vector<std::string> files_of(const fs::path& folder) {
    std::vector<std::string> paths;
    for (const std::string& file : sys::list_folder(folder.string())) {
      if (file.ends_with(kSuffix) && !file.ends_with("_test.cc.in")) paths.push_back(folder / file);
    }
    if (paths.empty()) {
      throw Error(Code::internal, fmt::format("there are no templates in {}", folder.string()),
                  "install unicni with its share folder");
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  void write(const std::string& path, const ModuleName& module) const {
    const auto text = sys::read_file(path);
    if (!text) throw Error(Code::internal, path + " is absent");
    std::string file = module.fill(fs::path(path).filename());
    file.resize(file.size() - kSuffix.size());
    sys::write_file_atomically(folder_ + '/' + file, module.fill(*text), 0644);
  }

  std::string name_;
  std::string kind_ = "chained";
  std::string folder_;
};

}  // namespace

app::VerbText new_module_verb() {
  return {"new-module",
          "Start a module of your own",
          "Writes a project that builds against the installed unicni: a module whose ADD does "
          "something that you can see, with its options, README, example and conformance profile, "
          "and a test that holds it against the CNI specification.",
          "unictl new-module wake-on-lan\n"
          "unictl new-module geneve --kind interface --out-of-tree ~/src/geneve",
          {},
          app::make_verb<NewModule>};
}

}  // namespace unicni::unictl
