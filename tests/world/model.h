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
  int since = 0;    ///< when its ADD ended (Model::now)
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

  /// Whether nobody can call the program of another maker that the network has.
  [[nodiscard]] bool is_away(int network) const {
    return away.at(static_cast<std::size_t>(network));
  }
  /// The settings that networks of the container may change: what the latest attachment that lives
  /// asked for, else as they were before; nullopt: nobody vouches for it.
  [[nodiscard]] std::map<std::string, std::optional<std::string>> settings_of(int container) const;
  /// From now on nobody vouches for what the network's lists change in the container's namespace as
  /// a whole, until an attachment sets it anew.
  void unsettle(int container, int network) { unsettled_[{container, network}] = ++now; }
  /// Its namespace is a new one.
  void settle(int container);

  Rules rules = Rules::intact;
  /// The reference's firewall made a FORWARD chain, which leads to our rules from our next ADD on.
  bool forward_is_foreign = false;
  std::vector<int> list_now;     ///< network → index of its list
  std::vector<int> subnets_now;  ///< network → index of its subnets
  std::vector<bool> away;        ///< network → its program of another maker can't be called
  int now = 0;                   ///< counts what settings depend on
  std::map<int, std::string> born_with;  ///< container → value of kSettings in its namespace

 private:
  std::map<std::pair<int, int>, int> unsettled_;  ///< container and network → since when
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
