// The system's D-Bus, by sd-bus. libsystemd is opened when a bus is, never linked: it would cost
// every call of every plugin a millisecond of start-up, and most hosts need it never.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unicni/call.h"

namespace unicni::net {

/// What a method answered.
struct BusAnswer {
  std::string error;  ///< D-Bus name of the error; empty: it succeeded
  std::string error_text;
  std::vector<std::string> texts;  ///< of a string, or of a list of them
  bool flag = false;               ///< of a boolean

  [[nodiscard]] bool ok() const { return error.empty(); }
};

struct BusMethod {
  std::string destination;
  const char* object;
  const char* interface;
  const char* name;
};

class SystemBus {
 public:
  enum class Type : char { text = 's', flag = 'b', texts = 'a' };

  /// Connects to DBUS_SYSTEM_BUS_ADDRESS, else to the usual socket, until `deadline`. nullopt:
  /// there is none, and `why_not` says what is missing. Throws Error if there is one that doesn't
  /// let us in.
  static std::optional<SystemBus> find(Deadline deadline, std::string& why_not);
  SystemBus(SystemBus&&) noexcept;
  SystemBus& operator=(SystemBus&&) noexcept;
  ~SystemBus();

  /// Calls a method with one or two strings. What the other side refuses is an answer; the bus's
  /// own failures, and no answer until `deadline`, are an Error.
  BusAnswer call(const BusMethod& method, const std::string& first,
                 const std::optional<std::string>& second, Type answer, Deadline deadline);

 private:
  struct Connection;
  explicit SystemBus(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace unicni::net
