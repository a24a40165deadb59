#include "compile/compile.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <utility>

#include "document/policy.h"
#include "document/source.h"
#include "journal/trust.h"
#include "module/trust.h"
#include "policy/compiled.h"
#include "protocol/document.h"
#include "protocol/network_list.h"
#include "settings/settings.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "unicni/sys/lock.h"

namespace unicni::compile {
namespace {

using settings::Compiled;

constexpr int kMostTries = 5;
constexpr mode_t kPrivate = 0600;
constexpr mode_t kPrivateFolder = 0700;

std::int64_t now() {
  using std::chrono::duration_cast;
  using std::chrono::nanoseconds;
  return duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// `began`: before the first source was looked at.
bool is_settled(const Compiled& compiled, std::int64_t began) {
  return std::all_of(
      compiled.sources.begin(), compiled.sources.end(),
      [&](const settings::Source& source) { return source.ctime + settings::kTick <= began; });
}

/// Where policies can't be known, an ADD must know that it is because of them.
template <class Work>
auto as_policy(const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    throw Error(Code::policy_unreadable, error.msg(), error.details());
  }
}

}  // namespace

/// What can't be looked at can't be read either, which says why. A link that leads nowhere is no
/// absence: somebody wanted what it was to lead to.
void Compiler::add_source(Compiled& compiled, const std::string& path) const {
  if (struct stat found{}; ::lstat(path.c_str(), &found) == 0 && S_ISLNK(found.st_mode) &&
                           ::stat(path.c_str(), &found) != 0) {
    const Error error = system_error(errno, "stat " + path);
    throw Error(Code::invalid_config, error.msg(), "mend or remove this symbolic link");
  }
  if (const auto wrong = module::distrust_settings(path, where_.executable)) {
    if (wrong->is_absent) return;
    throw Error(Code::invalid_config, fmt::format("{} is not believed: {}", path, wrong->why),
                wrong->advice);
  }
  if (auto source = settings::find_source(path)) compiled.sources.push_back(*std::move(source));
}

Compiled Compiler::make_policy() {
  Compiled compiled;
  const std::string folder = folders_.policies();
  add_source(compiled, folder);
  if (settings::has_policies(folders_) && !std::filesystem::is_directory(folder)) {
    throw Error(Code::policy_unreadable, folder + " is no folder",
                "policies are files of this folder");
  }
  std::vector<std::string> paths;
  try {
    paths = document::list_policies(folder);
    for (const std::string& path : document::list_near_policies(folder)) {
      compiled.warnings.push_back(
          fmt::format("{} is passed over: a policy's file ends in .yaml", path));
    }
    for (const std::string& subfolder : document::list_subfolders(folder)) {
      const std::size_t found = document::list_policies(subfolder).size() +
                                document::list_near_policies(subfolder).size();
      if (found == 0) continue;
      compiled.warnings.push_back(fmt::format(
          "{} is passed over: policies are files of {}, not of folders in it", subfolder, folder));
    }
  } catch (const Error&) {
    // Of a machine whose settings a user may not see, nothing holds for him.
    if (!module::is_rootless()) throw;
  }
  const auto types = installed_types(where_, compiled.warnings);
  policy::Policy policy;
  for (const std::string& path : paths) {
    add_source(compiled, path);
    const auto text = sys::read_file(path, document::kFileLimit + 1);
    if (!text) continue;  // removed meanwhile
    policy::Policy of_file =
        document::read_policy(document::read(*text, path), types, compiled.warnings);
    std::move(of_file.modules.begin(), of_file.modules.end(), std::back_inserter(policy.modules));
    std::move(of_file.rules.begin(), of_file.rules.end(), std::back_inserter(policy.rules));
  }
  compiled.body = policy::print_policy(policy);
  return compiled;
}

Compiled Compiler::make_chain(const std::string& name) {
  Compiled compiled;
  document::require_chain_name(name);
  const std::string folder = folders_.chains();
  add_source(compiled, folder);
  add_source(compiled, fmt::format("{}/{}.yaml", folder, name));
  const document::Document chain = document::read_chain_file(folder, name);
  const auto types = types_of(chain, installed_types(where_, compiled.warnings), where_);
  protocol::NetworkList list = document::read_chain(chain, name, types);
  compiled.warnings.insert(compiled.warnings.end(), list.warnings.begin(), list.warnings.end());
  compiled.body = std::move(list.text);
  return compiled;
}

/// What says which options there are, by what a verb can look at in a stat each: an upgrade
/// replaces the executable, or a file of a folder of modules, which changes the folder.
std::vector<settings::Source> Compiler::installed() const {
  std::vector<settings::Source> found;
  const auto add = [&](const std::string& path) {
    const auto source = settings::find_source(path);
    const bool is_known = source && std::any_of(found.begin(), found.end(), [&](const auto& each) {
                            return each.device == source->device && each.inode == source->inode;
                          });
    if (source && !is_known) found.push_back(*source);
  };
  add(where_.executable);
  std::for_each(where_.modules.begin(), where_.modules.end(), add);
  return found;
}

/// A module that was overwritten in its place has left its folder as it was. Verbs don't look at
/// each module, but whoever compiles does.
bool Compiler::is_older_than_modules(const std::string& entry) const {
  const auto made = settings::find_source(entry);
  if (!made) return true;
  for (const std::string& folder : where_.modules) {
    for (const std::string& name : sys::list_folder(folder)) {
      const auto module = settings::find_source(folder + '/' + name);
      if (module && module->ctime >= made->ctime) return true;
    }
  }
  return false;
}

bool Compiler::has_changed(const Compiled& compiled) const {
  return std::any_of(
      compiled.sources.begin(), compiled.sources.end(),
      [](const settings::Source& source) { return settings::find_source(source.path) != source; });
}

/// Files may be replaced while they are read.
Compiled Compiler::make(const std::string& subject) {
  for (int tries = 1;; ++tries) {
    const std::int64_t began = now();
    const std::vector<settings::Source> installed = this->installed();
    constexpr std::string_view kChain = "chain:";
    Compiled compiled = subject == settings::kPolicy ? as_policy([&] { return make_policy(); })
                                                     : make_chain(subject.substr(kChain.size()));
    compiled.sources.insert(compiled.sources.end(), installed.begin(), installed.end());
    const bool has_changed = this->has_changed(compiled);
    compiled.is_settled = !has_changed && is_settled(compiled, began);
    if (!has_changed || tries == kMostTries) return compiled;
  }
}

bool Compiler::counts(const Compiled& known, const std::string& subject) const {
  const bool is_policy = subject == settings::kPolicy;
  return settings::is_for(known, is_policy ? folders_.policies() : folders_.chains(),
                          where_.executable) &&
         settings::is_current(known) && !is_older_than_modules(folders_.compiled() + '/' + subject);
}

Compiled Compiler::compile(const std::string& subject) {
  if (keep_ == settings::Keep::nothing) return make(subject);
  const std::string folder = folders_.compiled();
  std::optional<sys::Lock> lock;
  try {
    sys::ensure_folder(folder, kPrivateFolder);
    if (const auto why = journal::distrust_folder(folder)) throw Error(*why);
    lock.emplace(folder + "/.lock", kPrivate, sys::lock_deadline(deadline_));
    const auto known = settings::find_compiled(folders_, subject);
    if (known && counts(*known, subject)) return *known;
  } catch (const Error&) {
    // What nobody can keep is compiled all the same.
    lock.reset();
  }
  Compiled compiled = make(subject);
  if (lock) {
    try {
      sys::write_file_atomically(folder + '/' + subject, settings::print_compiled(compiled),
                                 kPrivate);
    } catch (const Error& error) {
      compiled.warnings.push_back(error.msg());
    }
  }
  return compiled;
}

}  // namespace unicni::compile
