// A runtime's folder of plugins, such as /opt/cni/bin, and what of it is unicni's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/sys/lock.h"

namespace unicni::unictl {

/// Nothing is taken away before what replaces it is there: each file changes by one rename(2), so a
/// runtime that calls a plugin meanwhile gets the old one or the new one. Whatever was foreign is
/// kept as ".<name>.before-unicni", or as ".<name>.before-unicni.2" and so on if there is another
/// one already; no network configuration names these. Every method throws Error for what the kernel
/// refuses.
class BinFolder {
 public:
  /// Told of every change before it is made: what is done, and to which file.
  using Teller = std::function<void(std::string_view name, const char* what, std::string path)>;

  /// `is_dry`: everything is told and nothing done.
  BinFolder(std::string path, bool is_dry, Teller teller);

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Of those names, the ones under which something is that isn't ours: neither a link to an
  /// executable of unicni, of whatever build, nor a copy of one.
  [[nodiscard]] std::vector<std::string> foreign(const std::vector<std::string>& names) const;

  /// Throws Error, before anything is done, if one of those names is a folder's, or if the folder
  /// itself can't be one.
  void require_room(const std::vector<std::string>& names) const;
  /// Links to an executable of unicni, in the order of their names, that serve none of those names:
  /// of an earlier unicni, which had a module for them.
  [[nodiscard]] std::vector<std::string> links_besides(const std::vector<std::string>& names) const;
  /// Whether there is such a folder.
  [[nodiscard]] bool exists() const;

  /// While it lives no other unictl changes the folder, which must be there: links need the modules
  /// that a copy beside them brings, and the reverse. Waits a minute at most, then throws Error
  /// that names who has it. nullopt: nothing will be changed.
  [[nodiscard]] std::optional<sys::Lock> hold() const;
  /// `name` becomes a link to `target`; what is foreign is kept.
  void link(const std::string& name, const std::string& target) const;
  /// `name`, which may lie in a folder below, becomes a file with the content of `from`; what is
  /// foreign is kept.
  void copy(const std::string& name, const std::string& from, unsigned mode) const;
  /// Takes that file away; fine if it isn't there.
  void remove(const std::string& name) const;
  /// Takes away what is ours and puts back what was kept first, links before files, so that no link
  /// ever leads nowhere. Returns the names of what was kept and stays so: later ones, and those
  /// whose place somebody has taken since.
  [[nodiscard]] std::vector<std::string> restore() const;
  /// Whether an executable of unicni lies here as a file of its own under none of those names: its
  /// modules are those beside it.
  [[nodiscard]] bool has_copies_besides(const std::vector<std::string>& names) const;
  /// Of an earlier copy: the files of kCopiedModules that are modules, all of them or `served`, and
  /// the folder, if nothing else is in it.
  void remove_modules(const std::vector<std::string>* served) const;

 private:
  [[nodiscard]] std::string file(std::string_view name) const;
  [[nodiscard]] bool is_ours(const std::string& path) const;
  void keep_foreign(const std::string& name) const;
  void restore_one(const std::string& name, const std::string& kept) const;

  std::string path_;
  bool is_dry_;
  Teller tell_;
};

/// Below the folder: where a copy of the executable finds its modules.
inline constexpr std::string_view kCopiedModules = "unicni-modules";

}  // namespace unicni::unictl
