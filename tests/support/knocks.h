// Clients and servers in namespaces, many at once and without programs: who reaches whom, and as
// whom.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace unicni::test {

enum class Transport { tcp, udp, sctp };

/// Listens in one namespace on ports of both families, at all addresses. What it answers is its
/// name and the address that it was called from.
class KnockServer {
 public:
  KnockServer(std::string name, int netns, const std::vector<int>& ports,
              const std::vector<Transport>& transports = {Transport::tcp, Transport::udp});
  KnockServer(const KnockServer&) = delete;
  KnockServer& operator=(const KnockServer&) = delete;
  ~KnockServer();

  /// Descriptors to poll.
  [[nodiscard]] const std::vector<int>& sockets() const { return sockets_; }
  /// Answers what one of them has got.
  void serve(int socket) const;

 private:
  std::string name_;
  std::vector<int> sockets_;
};

struct Knock {
  int netns = -1;
  Transport transport = Transport::tcp;
  std::string to = {};  ///< IPv4 or IPv6 address
  int port = 0;
  std::string from = {};  ///< source address; empty: the kernel's choice
  int from_port = 0;      ///< source port; 0: the kernel's choice
};

struct KnockAnswer {
  std::string server;  ///< empty: nobody answered
  std::string seen;    ///< the client's address as the server saw it
  std::string own;     ///< and as the client has it
};

/// All knocks at the same time; whoever has no answer after `patience` has none. In the order of
/// the knocks.
std::vector<KnockAnswer> knock(const std::vector<const KnockServer*>& servers,
                               const std::vector<Knock>& knocks,
                               std::chrono::milliseconds patience = std::chrono::seconds(2));

}  // namespace unicni::test
