// The CNI spec as tests of a plugin, whoever wrote it: a profile says what the plugin is and with
// what to call it, the fixtures below are groups of rules, and an instance of a group runs its
// rules over profiles (instances.cc). Each test begins with the ID of its rule.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <ostream>
#include <string>

#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/recorder.h"
#include "support/sandbox.h"

namespace unicni::conformance {

using test::Attachment;
using test::Container;
using test::Json;
using test::kVersions;
using test::Output;
using test::Recorder;
using test::Snapshot;

struct Profile {
  std::string type;  ///< the plugin's file name
  Json config;       ///< network configuration without "cniVersion"
  std::string if_name = "eth0";
  std::string bridge = {};  ///< a host link that may stay after DEL; empty: nothing may
  std::string folder = {};  ///< where the plugin is; empty: the stage
  std::string reservations =
      {};  ///< folder that is empty when no address is taken; empty: none is kept
  std::vector<std::vector<std::string>> host_commands = {};  ///< they make the host ready
  Json small_pool = nullptr;  ///< configuration whose addresses are used up by one ADD
  /// Called for each attachment before its first verb, and for calls without a container (netns is
  /// empty then): makes what they need on the host, and may change their configuration.
  std::function<void(Attachment&)> prepare = {};
  bool rewrites = false;  ///< its IPAM gets a configuration that it wrote itself
  /// Links of the host whose names begin so may change or go: what `prepare` gives away.
  std::string given_away = {};
};

inline void PrintTo(const Profile& profile, std::ostream* out) { *out << profile.type; }

/// Names the instances of a profile.
inline std::string name_of(const ::testing::TestParamInfo<Profile>& info) {
  std::string name = info.param.type;
  std::erase(name, '-');
  return name;
}

class Rules : public ::testing::TestWithParam<Profile> {
 protected:
  Rules();
  /// A container and its attachment. Names begin with a letter and have no '/'.
  Attachment attachment(const std::string& name = "c1", const std::string& version = "1.1.0") {
    const Profile& profile = GetParam();
    Attachment made = {.config = test::with_version(profile.config, version),
                       .netns = containers_.emplace_back(name).path(),
                       .container_id = name,
                       .if_name = profile.if_name,
                       .type = profile.type,
                       .folder = profile.folder};
    if (profile.prepare) profile.prepare(made);
    return made;
  }
  /// A call without a container, as GC and STATUS are.
  static Attachment nobody(const std::string& version = "1.1.0");
  Container& container_of(const Attachment& attachment);
  /// Host and container at once.
  Snapshot state_of(const Attachment& attachment);
  /// Host only, without what may stay after DEL.
  static Snapshot host_state();
  [[nodiscard]] std::vector<std::string> taken() const;

  test::Sandbox sandbox_;
  std::list<Container> containers_;
};

/// What is true of every plugin.
class PluginRules : public Rules {};
/// Plugins that work in the container's namespace.
class LinkRules : public Rules {};
/// Link plugins that make CNI_IFNAME.
class CreatingRules : public Rules {};
/// Plugins that may stand behind another and then hand its result on.
class PassThroughRules : public Rules {};
/// Plugins with an "ipam" of somebody else.
class DelegatingRules : public Rules {
 protected:
  DelegatingRules();
  /// The profile with the recording plugin as IPAM.
  Attachment delegating(const std::string& name = "c1", const std::string& version = "1.1.0");
  Recorder ipam_{"fake-ipam"};
};
/// IPAM plugins.
class IpamRules : public Rules {};
/// IPAM plugins that remember who has which address.
class ReservingRules : public Rules {};

/// The keys and types of a result in its version's layout (RES-01 to RES-14).
void expect_layout(const Json& result, const std::string& version);
/// Addresses of a result with their prefix, whatever its layout.
std::vector<std::string> addresses_in(const Json& result);

}  // namespace unicni::conformance
