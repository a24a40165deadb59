// A module of unicni as a plugin that can be executed.
#pragma once

#include <string>

namespace unicni::conformance {

/// A folder below /tmp, which goes with the object, with a copy of the executable that loads one
/// module from elsewhere and, for delegates, the installed ones.
class ModuleFolder {
 public:
  /// `module` is the file NAME.so, `executable` the installed unicni. Throws std::exception, also
  /// if there is no such file.
  ModuleFolder(const std::string& module, const std::string& executable);
  ModuleFolder(const ModuleFolder&) = delete;
  ModuleFolder& operator=(const ModuleFolder&) = delete;
  ~ModuleFolder();

  /// The link that is the plugin.
  [[nodiscard]] const std::string& plugin() const { return plugin_; }

 private:
  void fill(const std::string& module, const std::string& executable);

  std::string folder_;
  std::string plugin_;
};

}  // namespace unicni::conformance
