// A plugin of the list that an ADD is for, as rules see it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/fields.h"
#include "policy/policy.h"
#include "unicni/options.h"

namespace unicni::policy {

/// What serves a type.
struct Server {
  std::string type = {};      ///< as the configuration has it; "": there is none
  std::string resolved = {};  ///< the module's name, for a program its type: what rules name
  bool is_program = false;
  /// Of the module; of a program that is called like a module of ours those of that, as it is
  /// configured alike. nullptr: nobody knows them.
  const OptionTable* options = nullptr;
};

enum class Effect : unsigned char { default_, override_, added, lowered };

/// One thing that a rule changed.
struct Change {
  Effect effect;
  std::string type;  ///< of the member, or of its IPAM
  std::string key;   ///< "": the whole member
  std::string json;
  std::string rule;
  Place place;
  /// "override mtu=1400: web-defaults (/etc/unicni/policy.d/10.yaml:6)"
  [[nodiscard]] std::string str() const;
};

struct Member {
  Server plugin;
  Server ipam = {};  ///< what its "ipam" names
  /// It makes the container's interface: what rules without a type are about.
  bool makes_interface = false;
  /// With it the container gets traffic: it makes the interface, or has it made by another plugin.
  bool attaches = false;
  /// It comes behind another plugin, or is given the result of one.
  bool is_chained = false;
  /// An IPAM plugin that was called by its own name: its options are those of "ipam".
  bool is_ipam = false;
  std::string config = {};  ///< JSON text
  std::vector<Change> changes = {};

  [[nodiscard]] bool is_of(const Patterns& types) const;
};

}  // namespace unicni::policy
