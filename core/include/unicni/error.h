// What a failed verb says. One Error becomes one JSON object on stdout (CNI spec 1.1.0, section 5
// "Error").
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace unicni {

/// Error codes of the CNI spec 1.1.0; 8 and 999 are those of the reference implementation. 100 and
/// above are a plugin's own and pass through Error unchanged; 120 and 121 are ours.
enum class Code : unsigned {
  incompatible_version =
      1,                  ///< cniVersion not supported, or the verb does not exist at that version
  unsupported_field = 2,  ///< a key or value that this plugin does not offer; msg names both
  unknown_container = 3,  ///< nothing to do for this container; a runtime may skip DEL
  invalid_environment = 4,      ///< CNI_* variables missing or wrong; msg names them
  io = 5,                       ///< stdin could not be read, stdout not written
  decode = 6,                   ///< stdin is not a JSON object, or not one within the limits
  invalid_config = 7,           ///< a value of the network configuration is wrong
  invalid_netns = 8,            ///< CNI_NETNS is the plugin's own namespace, or no namespace
  try_again = 11,               ///< transient; the runtime should try later
  not_available = 50,           ///< STATUS: ADD cannot be served now
  not_available_existing = 51,  ///< STATUS: nor can existing containers count on their network
  policy_violated = 120,        ///< a rule of policy.d denies this ADD, or what it asks for
  policy_unreadable = 121,      ///< the policies, or what compiles them, can't be used
  internal = 999,               ///< everything else: an operation on the host failed
};

/// The one exception type of unicni. Text rules: msg says what failed, on which object, and why;
/// details say what to do or what is allowed. Owns its texts, so it outlives the module that threw
/// it only if copied: the module guard does that.
class Error : public std::exception {
 public:
  Error(Code code, std::string msg, std::string details = {});
  Error(unsigned code, std::string msg, std::string details = {});
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;
  ~Error() override;

  [[nodiscard]] unsigned code() const noexcept { return code_; }
  [[nodiscard]] bool is(Code code) const noexcept { return code_ == static_cast<unsigned>(code); }
  [[nodiscard]] const std::string& msg() const noexcept { return msg_; }
  [[nodiscard]] const std::string& details() const noexcept { return details_; }
  [[nodiscard]] const char* what() const noexcept override { return msg_.c_str(); }

  /// Puts "<step>: " before msg unless it is there already. Returns itself, for `throw
  /// error.in_step("bridge")`.
  Error& in_step(std::string_view step);
  /// Replaces the details.
  Error& advise(std::string details);

 private:
  unsigned code_;
  std::string msg_;
  std::string details_;
};

/// Code::internal with "<what>: <strerror> (<ERRNO NAME>)"; `what` names the action and its object,
/// as in "create veth veth1a2b3c4d".
Error system_error(int errno_value, std::string_view what);

}  // namespace unicni
