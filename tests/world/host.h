// The host of a world, with a machine outside: what is done to it, and the same as shell commands.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/attachment.h"
#include "support/knocks.h"
#include "world/scenario.h"

namespace unicni::test::world {

inline constexpr const char* kHost4 = "198.51.96.1";
inline constexpr const char* kSecondHost4 = "198.51.96.3";
inline constexpr const char* kHost6 = "2001:db8:51::1";
inline constexpr const char* kOutside4 = "198.51.96.2";
inline constexpr const char* kOutside6 = "2001:db8:51::2";
inline constexpr int kOutsidePort = 7000;
/// Machines outside whose addresses lie in subnets that networks may have or had.
inline const std::vector<std::string> kNested4 = {"10.1.200.9", "10.14.0.9", "10.2.200.9"};
inline const std::vector<std::string> kNested6 = {"fd00:1::c8:9", "fd00:e::9"};
inline const std::vector<int> kContainerPorts = {80, 81, 82};

/// One run of a plugin.
struct Plugin {
  std::string type;
  std::string verb;
  std::string container;
  std::string netns;  ///< CNI_NETNS
  std::string if_name;
  Json config;         ///< without prevResult
  std::string result;  ///< name of a result that is prevResult; empty: none
  bool by_reference = false;
  std::optional<Kill> kill;
};

/// Makes the calling process a host of its own, for ever: for a child process of the test.
class Host {
 public:
  explicit Host(const Scenario& scenario);

  [[nodiscard]] bool has_namespace(int container) const { return containers_.contains(container); }
  /// Its settings of kSettings are this, which is nobody's default.
  void add_namespace(int container, const std::string& setting);
  void remove_namespace(int container);
  [[nodiscard]] int netns(int container) const { return containers_.at(container).netns->fd(); }
  [[nodiscard]] int netns() const { return netns_; }
  [[nodiscard]] int outside() const { return outside_->fd(); }
  static std::string netns_path(int container) { return "/run/netns/" + container_name(container); }

  /// Runs it; its result is remembered as `name` if that isn't empty and ADD succeeds.
  Output run(const Plugin& plugin, const std::string& name = "");
  [[nodiscard]] Json result(const std::string& name) const;
  void copy_result(const std::string& from, const std::string& to);

  /// Of a program of another maker: where to, of kForeignFolders.
  void move_program(const std::string& type, int to);
  [[nodiscard]] bool is_away(const std::string& type) const {
    return is_program(type) && folders_.at(type) == kAway;
  }

  void flush_rules();
  /// What of a network's gateway an administrator makes before there is a bridge, and what he does
  /// when there is one.
  void prepare_gateway(const NetworkPlan& network, const Subnets& subnets);
  void plug_gateway(const NetworkPlan& network);
  /// With the gateway beside it.
  void remove_bridge(const NetworkPlan& network);
  void comment(const std::string& text);
  /// All that was done so far, for bash.
  [[nodiscard]] const std::string& script() const { return script_; }
  static std::string script_head();

  std::vector<KnockAnswer> knock(const std::vector<Knock>& knocks);

 private:
  struct Inhabitant {
    std::unique_ptr<Container> netns;
    std::vector<std::unique_ptr<KnockServer>> servers;
  };
  void no_br_netfilter();
  void shell(const std::string& line) { script_ += line + '\n'; }
  [[nodiscard]] bool is_program(const std::string& type) const { return folders_.contains(type); }
  /// The lines, for ip(8) in a namespace of that name; of this host if it is empty.
  void batch(const std::string& text, int netns, const std::string& name);

  int netns_ = -1;
  std::unique_ptr<Container> outside_;
  std::unique_ptr<KnockServer> outside_server_;
  std::map<int, Inhabitant> containers_;
  std::map<int, Inhabitant> routers_;   ///< of networks
  std::map<std::string, int> folders_;  ///< program → where it is
  std::map<std::string, Json> results_;
  std::string script_;
};

/// The name under which a place's result is remembered.
std::string result_name(const Scenario& scenario, int place);
/// Does the work in another network namespace, with its /proc/sys/net.
void in_netns(int netns, const std::function<void()>& work);

}  // namespace unicni::test::world
