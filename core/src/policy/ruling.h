// What the rules of a policy make of one ADD. The order is fixed: modules, deny, defaults,
// override, prepend and append, require; matching looks at the request as it came. Whatever is
// violated is an Error(policy_violated) that names file, line, rule, key, value and limit.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policy/facts.h"
#include "policy/member.h"
#include "policy/policy.h"

namespace unicni::policy {

class Ruling {
 public:
  /// A plugin object to put into the list.
  struct Added {
    const Rule* rule;
    const Addition* addition;
    [[nodiscard]] Change change(const std::string& type) const;
  };

  /// Throws for a member that "modules" keep out, for a rule that denies, and for a claim that a
  /// rule looks at and that is garbage, or absent where that denies. Policy and facts must outlive
  /// this.
  Ruling(const Policy& policy, const Facts& facts, std::span<const Member> members);
  /// The same for a plugin that a member gives its work to: rules that matched the list hold for
  /// it, and those that match it.
  Ruling(const Ruling& of_list, const Member& delegate);

  /// Defaults and overrides, written into the members' configurations. Error(policy_unreadable):
  /// a key that our module doesn't have.
  void change(std::span<Member> members) const;
  /// In the order in which they will stand in the list.
  [[nodiscard]] std::vector<Added> prepended() const;
  [[nodiscard]] std::vector<Added> appended() const;
  /// For members that rules have added: "modules" hold for them, too. A program's configuration
  /// must leave no doubt which IPAM it names.
  void require_modules(std::span<const Member> members) const;
  /// Whether require() wants to know the host's links (Facts::default_link, link_mtu).
  [[nodiscard]] bool asks_host_links() const;
  /// The final list. `is_whole`: it is the attachment's; a delegate has no rate of its own.
  void require(std::span<const Member> members, bool is_whole) const;

 private:
  void match(const std::vector<const Member*>& members);

  const Policy& policy_;
  const Facts& facts_;
  std::vector<const Rule*> rules_;  // that hold, in their order
};

}  // namespace unicni::policy
