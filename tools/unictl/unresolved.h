// What a module takes from elsewhere and nobody has, read from the files: dlopen would run it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace unicni::unictl {

/// The names that an executable of unicni, and the libraries that it needs, offer to modules.
/// Versions of symbols are not looked at.
class Offered {
 public:
  /// Throws Error if the file is no ELF file of this machine.
  explicit Offered(const std::string& executable);

  /// The first that the module at `path` needs and neither these have nor the libraries that it
  /// brings, or the constant by which the module `name` is found, in dlerror's words: "undefined
  /// symbol: <name>", or "<library>: cannot open shared object file" for one that isn't there.
  /// nullopt: none, or it can't be said. Throws Error for a damaged file.
  [[nodiscard]] std::optional<std::string> find_missing(const std::string& name,
                                                        const std::string& path) const;

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace unicni::unictl
