// An installed tree with a unictl of the test's own, and settings, for the tests of this folder.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <string>

#include "base/deadline_for_test.h"
#include "base/services.h"
#include "base/temp_folder_for_test.h"
#include "module/registry.h"
#include "settings/compiled.h"
#include "unicni/sys/file.h"

namespace unicni::settings {

class Tree {
 public:
  Tree() {
    for (const char* name : {"libexec/cni", "bin", "etc", "run/compiled"}) {
      sys::ensure_folder(folder_ / name, 0700);
    }
    services_.folders.settings = folder_ / "etc";
    services_.folders.run = folder_ / "run";
    where_.executable = folder_ / "libexec/cni/unicni";
    write("libexec/cni/unicni", "");
  }

  void write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    sys::write_file_atomically(folder_ / name, text, mode);
  }
  void folder(const std::string& name) const { sys::ensure_folder(folder_ / name, 0700); }
  /// Modules are looked for there from now on.
  void modules(const std::string& name) { where_.modules = {folder_ / name}; }
  /// unictl is this shell script from now on.
  void unictl(const std::string& script) const {
    write("bin/unictl", "#!/bin/sh\n" + script + '\n', 0755);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string read(const std::string& name) const {
    return sys::read_file(folder_ / name).value_or("");
  }
  [[nodiscard]] const Services& services() const { return services_; }
  [[nodiscard]] const module::Locations& where() const { return where_; }

 private:
  TempFolder folder_;
  Services services_;
  module::Locations where_;
};

}  // namespace unicni::settings
