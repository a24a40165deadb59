// Another maker of modules on the test's host: a prefix of his own, with unicni's executable and
// modules as `cmake --install` puts them, into which his projects are built.
#pragma once

#include <string>
#include <vector>

#include "support/attachment.h"
#include "support/sandbox.h"

namespace unicni::test {

class Author {
 public:
  Author();
  [[nodiscard]] std::string bin() const { return prefix_ + "/libexec/cni"; }
  [[nodiscard]] std::string module(const std::string& type) const {
    return prefix_ + "/lib/unicni/modules/" + type + ".so";
  }
  [[nodiscard]] std::string profile(const std::string& type) const {
    return prefix_ + "/share/unicni/conformance/" + type + ".json";
  }
  /// Configures, builds and installs the project of a folder; `options` go to the first. Returns
  /// the folder that it was built in. Each call has one of its own.
  std::string build(const std::string& source, const std::vector<std::string>& options = {});
  /// A link for every loadable module, by `unictl install`.
  void link() const;
  /// A plugin of his with that configuration (JSON), through its link.
  [[nodiscard]] Attachment attachment(const Container& container, const std::string& config) const;

 private:
  std::string prefix_ = "/run/author";
  int builds_ = 0;
};

/// The installed unictl.
Output unictl(std::vector<std::string> arguments);

}  // namespace unicni::test
