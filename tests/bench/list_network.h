// The list of plugins that clusters run, and its commands: a process a plugin, or all in one.
#pragma once

#include <string>
#include <vector>

#include "private_net.h"
#include "program.h"

namespace unicni::bench {

/// bridge, tuning, portmap, firewall, bandwidth, with one TCP port of each container published.
/// Name and subnet must be this network's alone.
class ListNetwork {
 public:
  /// `second_byte`: the network is 10.<second_byte>.0.0/16. `one_process`: type "unicni".
  ListNetwork(std::string folder, const std::string& bridge, int second_byte, bool one_process);

  struct Attached {
    std::string result;
    double milliseconds = 0;
  };
  /// As libcni runs a list: each plugin gets the result of the one before, CHECK and DEL the last
  /// one, DEL goes backward. Times are sums of processes.
  [[nodiscard]] Attached add(const std::string& container, const ContainerNet&, int port) const;
  /// portmap doesn't see ip6tables on CHECK: where it does, the reference's wants rules of both
  /// families, also for a container that has only IPv4 addresses.
  [[nodiscard]] double check(const std::string& container, const ContainerNet&, int port,
                             const std::string& result) const;
  [[nodiscard]] double del(const std::string& container, const ContainerNet&, int port,
                           const std::string& result) const;

  /// The network as a list of plugins, which a runtime reads; not of a network in one process.
  [[nodiscard]] std::string list_text() const;
  /// The same list by its name, as an administrator's chain: one process.
  [[nodiscard]] ListNetwork by_chain() const;
  /// The capability arguments, a JSON object's text, that publish this port.
  [[nodiscard]] static std::string capability_args(int port);

  /// An address of the host that the port is published on.
  [[nodiscard]] std::string gateway() const;

 private:
  struct Plugin {
    std::string type;
    std::string members;  ///< JSON members of its object, "type" included
  };
  [[nodiscard]] Command command(const char* verb, const std::string& container, const ContainerNet&,
                                const Plugin&, int port, const std::string& prev_result) const;

  std::string folder_;
  std::string name_;
  int second_byte_;
  std::vector<Plugin> plugins_;
};

/// A TCP server on port 80 of a container. Whoever connects is accepted by the kernel.
class Server {
 public:
  explicit Server(const ContainerNet&);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

 private:
  int socket_;
};
/// Whether a connection to it comes about, from the thread's namespace, within a second.
bool can_connect(const std::string& address, int port);

/// What ADD of the list must have made: link, sysctl, port, permission, limits. Throws
/// std::runtime_error naming `who`. `whole`: reads the host's whole ruleset for it, too.
void require_list(const ListNetwork&, const ContainerNet&, int port, const std::string& result,
                  const std::string& who, bool whole);
/// The opposite, after DEL.
void require_no_list(const ListNetwork&, const ContainerNet&, int port, const std::string& result,
                     const std::string& who, bool whole);

}  // namespace unicni::bench
