// What must hold on the host, as far as the steps so far decide it.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "world/ports.h"
#include "world/scenario.h"

namespace unicni::test::world {

/// Something doesn't hold. The kind stays the same while a sequence is shrunk.
class Broken : public std::runtime_error {
 public:
  Broken(std::string kind, const std::string& text)
      : std::runtime_error(text), kind_(std::move(kind)) {}
  [[nodiscard]] const std::string& kind() const { return kind_; }

 private:
  std::string kind_;
};

/// none: nothing of it may be anywhere. alive: all of it is there. lost: its namespace went without
/// a DEL, what the host had of it may be there. unknown: a verb was killed, or others did what they
/// do; a DEL of ours ends all but `alive` in `none`.
enum class State { none, alive, lost, unknown };

/// A place's attachment.
struct Life {
  State state = State::none;
  Json list;      ///< of its ADD
  int ports = 0;  ///< its port list
  bool by_reference = false;
  bool foreign = false;
  bool masquerades = false;
  bool snat = true;
  std::vector<Claim> claims;
  std::map<bool, std::string> addresses;  ///< v6? → address
  Subnets subnets;
  std::string mac;  ///< as its result says it; empty if it doesn't
};

enum class Rules { intact, gone, unsure };

class Model {
 public:
  explicit Model(const Scenario& scenario);

  [[nodiscard]] const Scenario& scenario() const { return scenario_; }
  [[nodiscard]] Life& life(int place) { return lives_.at(static_cast<std::size_t>(place)); }
  [[nodiscard]] const Life& life(int place) const {
    return lives_.at(static_cast<std::size_t>(place));
  }
  [[nodiscard]] const Place& place(int place) const {
    return scenario_.places.at(static_cast<std::size_t>(place));
  }
  [[nodiscard]] int places() const { return static_cast<int>(lives_.size()); }
  [[nodiscard]] const NetworkPlan& network_of(int place_index) const {
    return scenario_.networks.at(static_cast<std::size_t>(place(place_index).network));
  }
  /// The network's file as it is now.
  [[nodiscard]] Json list_of(int network) const;
  [[nodiscard]] const Subnets& subnets_of(int network) const;

  /// Of an attachment that an ADD would make now.
  [[nodiscard]] std::vector<Claim> claims_of_add(int place, int ports, bool by_reference) const;
  enum class Answer { yes, no, either };
  /// Whether such an ADD, in a good namespace, must succeed.
  [[nodiscard]] Answer admits(int place, int ports, bool by_reference) const;
  /// Whether CHECK must succeed, in the attachment's own namespace.
  [[nodiscard]] Answer checks(int place) const;

  Rules rules = Rules::intact;
  /// The reference's firewall made a FORWARD chain, which leads to our rules from our next ADD on.
  bool forward_is_foreign = false;
  std::vector<int> list_now;     ///< network → index of its list
  std::vector<int> subnets_now;  ///< network → index of its subnets
  /// container/network whose namespace-wide settings nobody vouches for.
  std::map<std::pair<int, int>, bool> unsettled;

 private:
  const Scenario& scenario_;
  std::vector<Life> lives_;
};

/// What the list asks of its container: sysctls with IFNAME replaced, MTU (0: nothing), MAC.
struct Wishes {
  std::map<std::string, std::string> settings;
  int mtu = 0;
  bool mac = false;
};
Wishes wishes_of(const Json& list, const std::string& if_name);
/// Whether a flush of nftables takes something of it.
bool has_rules(const Life& life);
/// Whether its portmap gives clients the host's address where it must.
bool has_snat(const Json& list);
bool is_in(const std::string& address, const std::string& subnet);

}  // namespace unicni::test::world
