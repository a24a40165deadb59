// What a module that somebody starts is called, and what that makes of the templates.
#pragma once

#include <string>
#include <string_view>

namespace unicni::unictl {

/// The "type" of a module, of which follow its files, its symbol and its classes. In a template
/// @name@ is the type, @snake@ the type with '_' for '-', and @Class@ "WakeOnLan"; a name may be a
/// word of C++, so no identifier of a template is one of these alone.
class ModuleName {
 public:
  /// Throws Error(invalid_environment) that says why, if a module can't be called that.
  explicit ModuleName(std::string type);

  [[nodiscard]] const std::string& type() const { return type_; }
  [[nodiscard]] std::string snake() const;
  [[nodiscard]] std::string class_name() const;
  /// The text of a template, or a file name, for this module.
  [[nodiscard]] std::string fill(std::string text) const;

 private:
  std::string type_;
};

}  // namespace unicni::unictl
