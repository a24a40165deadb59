// A temporary folder with the layout of an installation, removed at the end.
#pragma once

#include <sys/types.h>

#include <string>

namespace scratch {

class Prefix {
 public:
  Prefix();
  Prefix(const Prefix&) = delete;
  Prefix& operator=(const Prefix&) = delete;
  ~Prefix();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string cni() const { return path_ + "/libexec/cni"; }
  [[nodiscard]] std::string executable() const { return cni() + "/unicni"; }
  [[nodiscard]] std::string modules() const { return path_ + "/lib/unicni/modules"; }
  [[nodiscard]] std::string module(const std::string& name) const {
    return modules() + '/' + name + ".so";
  }

  /// Copies a file, mode 0755.
  void copy(const std::string& from, const std::string& to) const;
  /// Copies <fixtures>/<name>.so among the modules; returns its path.
  [[nodiscard]] std::string add_fixture(const std::string& name) const;
  void write(const std::string& to, const std::string& content, mode_t mode = 0755) const;

 private:
  std::string path_;
};

}  // namespace scratch
