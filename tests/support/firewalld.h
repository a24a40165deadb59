// The real firewalld on a bus of its own, for tests in a Sandbox.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/process.h"

namespace unicni::test {

/// dbus-daemon as the sandbox's system bus, where plugins look for it without being told, and
/// firewalld in the host namespace that the test is in. Running when the constructor returns, which
/// takes some 0.7 s: default zone public, nothing else configured. Stopped and reaped when
/// destroyed, its table taken along. Make it after the Sandbox; packages dbus and firewalld. Throws
/// std::runtime_error with what they printed if they don't start.
class Firewalld {
 public:
  Firewalld();
  Firewalld(const Firewalld&) = delete;
  Firewalld& operator=(const Firewalld&) = delete;
  ~Firewalld();

  /// What DBUS_SYSTEM_BUS_ADDRESS would be; it is the default of sd-bus and Go's dbus.
  [[nodiscard]] static std::string address();

  /// As `firewall-cmd --reload`: what isn't in its configuration is lost, other tables stay.
  void reload();
  /// As `systemctl stop firewalld`: its table and its name on the bus go, the bus stays.
  void stop();
  /// After stop().
  void start();
  /// The bus as well, which leaves its socket behind.
  void stop_bus();

  /// Sources of a zone as firewalld writes them ("10.1.0.2/32"), sorted.
  [[nodiscard]] std::vector<std::string> list_sources(const std::string& zone = "trusted") const;
  /// As `firewall-cmd --zone=ZONE --add-source=SOURCE`, and its removal.
  void add_source(const std::string& zone, const std::string& source);
  void remove_source(const std::string& zone, const std::string& source);

 private:
  std::unique_ptr<Running> bus_;
  std::unique_ptr<Running> firewalld_;
};

}  // namespace unicni::test
