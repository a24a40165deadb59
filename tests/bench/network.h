// A network of one folder of CNI plugins, and the commands of its attachments.
#pragma once

#include <string>
#include <utility>

#include "private_net.h"
#include "program.h"

namespace unicni::bench {

inline constexpr const char* kLink = "eth0";  ///< every attachment's interface
/// The reference finds iptables by it.
inline constexpr const char* kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One plugin of a folder with host-local. Name and subnet must be this network's alone.
class Network {
 public:
  /// bridge with a default gateway and masquerade; `bridge` also names the network.
  static Network bridge(std::string folder, const std::string& bridge, const std::string& subnet);
  /// `type` with `options`, text of JSON members (`"mode":"bridge"`, may be empty); host-local
  /// gives a default route.
  static Network of_type(std::string folder, std::string type, const std::string& name,
                         const std::string& options, const std::string& subnet);

  /// A configuration as it is; it has "name" and ends in '}'.
  static Network of_config(std::string folder, std::string type, std::string config) {
    return {std::move(folder), std::move(type), std::move(config)};
  }

  [[nodiscard]] Command add(const std::string& container, const ContainerNet&) const;
  /// `result` is what ADD printed.
  [[nodiscard]] Command check(const std::string& container, const ContainerNet&,
                              const std::string& result) const;
  [[nodiscard]] Command del(const std::string& container, const ContainerNet&,
                            const std::string& result) const;

 private:
  Network(std::string folder, std::string type, std::string config)
      : folder_(std::move(folder)), type_(std::move(type)), config_(std::move(config)) {}
  [[nodiscard]] Command verb(const char* name, const std::string& container, const ContainerNet&,
                             std::string config) const;
  [[nodiscard]] std::string with_result(const std::string& result) const;

  std::string folder_;
  std::string type_;
  std::string config_;
};

/// Throws std::runtime_error naming `who` unless the link is there, up, with address and default
/// route.
void require_attached(const ContainerNet&, const std::string& who);
/// Throws std::runtime_error naming `who` if the link is still there.
void require_gone(const ContainerNet&, const std::string& who);

}  // namespace unicni::bench
