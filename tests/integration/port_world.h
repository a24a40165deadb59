// outside – host – two bridges – three containers, dual stack, with published ports of the first
// container: the world of the port tests.
#pragma once

#include <memory>
#include <utility>

#include "integration/host_test.h"
#include "support/firewalld.h"
#include "support/knocks.h"

namespace unicni::test {

/// Whose plugins make the attachments.
enum class Maker { ours, reference };
enum class Forward { accept, drop_nft, drop_legacy, firewalld };
std::string name_of(Forward forward);

inline constexpr int kContainerPort = 80;
inline constexpr int kUnpublishedPort = 81;  ///< the containers' servers listen there, too
inline constexpr const char* kHost4 = "198.51.100.1";
inline constexpr const char* kHost6 = "2001:db8:51::1";
inline constexpr const char* kOutside4 = "198.51.100.2";
inline constexpr const char* kOutside6 = "2001:db8:51::2";

/// {"hostPort": …, "containerPort": 80, "protocol": …, "hostIP": …} for tcp and udp.
Json published(int host_port, const std::string& host_ip = "");

class PortWorld {
 public:
  explicit PortWorld(Forward forward = Forward::accept);

  /// bridge, portmap and firewall as a list; network `number` is on br<number>, 10.1<number>.0.0/24
  /// and fd00:1<number>::/64.
  static Json list(int number, const Json& mappings, const Json& portmap = Json::object());
  /// The same behind ptp.
  static Json ptp_list(int number, const Json& mappings, const Json& portmap = Json::object());
  /// A container of that list with a server that answers with its name.
  Attachment add(const std::string& name, const Json& list, Maker maker = Maker::ours);
  /// A further attachment of a container that add() made; what it would be is job(). Its result is
  /// `name`'s from then on.
  Attachment attach(const std::string& name, const Json& list, const std::string& if_name,
                    Maker maker = Maker::ours);
  [[nodiscard]] Attachment job(const std::string& name, const Json& list,
                               const std::string& if_name = "eth0") const;
  /// DEL of what add() made with ours.
  void remove(const Attachment& job);
  /// The container dies without a DEL: its server goes, and its namespace.
  void kill(const std::string& name);
  /// A container without an attachment, with its server: of each port one with the name
  /// "<name>:<port>" if `by_port`, else one for all.
  Container& make(const std::string& name, bool by_port = false);

  [[nodiscard]] const Json& result_of(const std::string& name) const { return results_.at(name); }
  [[nodiscard]] std::string address(const std::string& name, bool v6) const;
  Container& outside() { return *outside_; }
  Firewalld& firewalld() { return *firewalld_; }
  Container& container(const std::string& name) { return *containers_.at(name); }
  [[nodiscard]] int host() const { return sandbox_.netns(); }
  /// The namespace of "outside", "host" or a container.
  int netns_of(const std::string& name);
  /// A server beside those of the containers.
  void serve(const std::string& name, int netns, const std::vector<int>& ports,
             const std::vector<Transport>& transports = {Transport::tcp, Transport::udp});
  std::vector<KnockAnswer> knock(
      const std::vector<Knock>& knocks,
      std::chrono::milliseconds patience = std::chrono::milliseconds(1500));
  /// One knock: name of the server that answered, "" if none did.
  std::string reaches(const std::string& from, Transport transport, const std::string& to,
                      int port);
  /// Rules of everybody but us, without counters.
  static std::string foreign_rules();

 private:
  Json add_reference(const Attachment& job, const Json& list);

  Sandbox sandbox_;
  std::unique_ptr<Container> outside_;
  std::unique_ptr<Firewalld> firewalld_;
  std::map<std::string, std::unique_ptr<Container>> containers_;
  std::map<std::string, Json> results_;
  std::vector<std::pair<std::string, std::unique_ptr<KnockServer>>> servers_;  ///< by name
};

}  // namespace unicni::test
