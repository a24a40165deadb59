// What a seed stands for: the networks and containers of a host, and what happens to them, step by
// step. Each step says all about itself, so that a sequence without some of its steps is one, too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/json.h"

namespace unicni::test::world {

/// Folders of CNI_PATH with programs of other makers, and one that isn't in it.
inline constexpr const char* kForeignFolders[] = {"/run/world/plugins", "/run/world/others",
                                                  "/run/world/away"};
inline constexpr int kAway = 2;
inline constexpr const char* kLeases = "/run/world/leases";  ///< of IPAM programs of other makers

/// Empty: without that family.
struct Subnets {
  std::string v4;
  std::string v6;
  bool operator==(const Subnets&) const = default;
};

/// Who has the gateway's addresses: the bridge; a veth of the host that is plugged into the bridge;
/// a machine that is plugged into it, and through which nobody gets to the host.
enum class Gateway { bridge, veth, router };

/// A network's file as somebody wrote it on one day. The first member makes the interface.
struct ListPlan {
  std::string version;
  Json members;
};

struct NetworkPlan {
  int number = 0;
  std::string name;
  bool one_process = false;      ///< "type": "unicni" instead of a process a member
  std::vector<Subnets> subnets;  ///< those that it has one after the other, when it is made again
  std::vector<ListPlan> lists;   ///< what its file may say
  bool lends = false;            ///< its IPAM is a program of another maker
  Gateway gateway = Gateway::bridge;
};

/// A container's interface on a network.
struct Place {
  int container = 0;
  int network = 0;
  std::string if_name;
};

enum class Verb { add, del, check, gc, edit, remake, flush, vanish, move };
enum class NetnsPath { right, empty, missing, anothers };

/// kill -9 before the k-th thing that others can see (support/tracer.h), in the process of one
/// member.
struct Kill {
  int member = 0;
  int step = 1;
};

struct Step {
  Verb verb = Verb::add;
  int place = 0;      ///< of add, del, check
  int network = 0;    ///< of gc, edit, remake; of move: whose program
  int container = 0;  ///< of vanish: its namespace goes, and nobody calls DEL
  int choice = 0;     ///< add: which port list; edit: which list; remake: which subnets; move:
                      ///< where to, of kForeignFolders
  NetnsPath netns = NetnsPath::right;
  bool by_reference = false;  ///< by /usr/lib/cni
  bool old_list = false;      ///< del: with the list of its ADD, whatever the file says now
  bool with_result = true;    ///< del: with prevResult
  bool with_ports = true;     ///< del: with runtimeConfig
  unsigned valid = 0;         ///< gc: bit i keeps place i
  std::optional<Kill> kill;
};

struct Scenario {
  unsigned seed = 0;
  std::vector<NetworkPlan> networks;
  int containers = 0;
  std::vector<Place> places;
  std::vector<Json> port_lists;  ///< values of runtimeConfig.portMappings
  std::vector<Step> steps;
  bool network_state = true;  ///< what belongs to a network goes with its last attachment
};

/// Settings of a namespace as a whole, of which network i may change the i-th.
inline const std::vector<std::string> kSettings = {"net/ipv4/tcp_fin_timeout",
                                                   "net/ipv4/tcp_keepalive_intvl",
                                                   "net/core/somaxconn", "net/ipv4/tcp_retries2"};

std::string container_name(int container);
std::string bridge_name(int network);
/// The type of the program of another maker that the network has: its main plugin or its IPAM;
/// empty: none.
std::string program_of(const NetworkPlan& network);
/// The gateways of subnets that aren't empty, with their prefix lengths: "10.1.0.2/16".
std::vector<std::string> gateways_of(const NetworkPlan& network, const Subnets& subnets);
/// Of the outside that all of a network's containers have a route to: of IPv4, of IPv6.
std::string outside_of(int network, bool v6);
/// {"cniVersion", "name", "plugins"} of a network's file.
Json conflist(const NetworkPlan& network, int subnets, int list);
/// The container's MAC there, if the list has a member with the capability "mac".
std::string wanted_mac(const Scenario& scenario, int place);
/// runtimeConfig with everything that a runtime offers.
Json offered(const Scenario& scenario, int place, int ports);
/// A text that names the step, for messages.
std::string describe(const Scenario& scenario, const Step& step);

/// Members of a list with a type.
std::vector<Json> members_of_type(const Json& list, const std::string& type);

}  // namespace unicni::test::world
