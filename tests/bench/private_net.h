// Network namespaces of the benchmark's own, and what the kernel says of them.
#pragma once

#include <string>
#include <utility>

namespace unicni::bench {

/// Moves the calling (only) thread to network and mount namespaces of its own, with an empty /run:
/// whatever the candidates leave on their "host" ends with this process. Throws std::system_error.
void enter_private_host();

/// A bridge, up, with an IPv4 address "10.0.0.1" of a /16, in the calling thread's namespace.
/// Throws std::system_error.
void make_bridge(const std::string& name, const std::string& address);

/// A network namespace that a file below /run keeps. Never removed before the end: the kernel takes
/// namespaces down in the background, which would disturb the next measurement.
class ContainerNet {
 public:
  explicit ContainerNet(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }

  struct State {
    bool exists = false;
    bool up = false;
    bool has_address = false;  ///< an IPv4 address
    bool has_default_route = false;
  };
  [[nodiscard]] State link_state(const std::string& name) const;

 private:
  std::string path_;
};

/// A second host beside the private one: its own network, the same files.
class HostNet {
 public:
  explicit HostNet(std::string path) : net_(std::move(path)) {}

  /// While it lives, the calling (only) thread and the programs that it starts are on this host.
  class Inside {
   public:
    explicit Inside(const std::string& path);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    int before_;  ///< descriptor of the namespace to go back to
  };
  [[nodiscard]] Inside enter() const { return Inside(net_.path()); }

 private:
  ContainerNet net_;
};

}  // namespace unicni::bench
