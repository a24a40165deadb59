// The policies of one ADD: what they make of its list, and of the delegates of its members.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/member.h"
#include "chain/request.h"
#include "chain/verb_host.h"
#include "policy/facts.h"
#include "policy/policy.h"
#include "policy/ruling.h"

namespace unicni::chain {

class Rules {
 public:
  /// Request and host outlive this.
  Rules(const Request& request, VerbHost& host, policy::Policy policy);

  /// Changes the members, and adds some. `direct`: the only member is called by its own name, so
  /// there is no list to add to. Throws what policy/ruling.h says, and Error(invalid_config) for a
  /// type that nothing serves.
  void apply(std::vector<Member>& members, bool direct);
  struct RuledDelegate {
    protocol::Netconf netconf;
    std::string source;  ///< the rules, for people
  };
  /// What they make of the configuration of a delegate; nullopt: it stays. After apply().
  [[nodiscard]] std::optional<RuledDelegate> apply_to_delegate(const protocol::Netconf& asked);

 private:
  struct Served;
  [[nodiscard]] Served served(const std::string& type, bool direct) const;
  [[nodiscard]] policy::Server ipam_server(const std::string& type, bool is_of_program) const;
  [[nodiscard]] policy::Member look_at(const std::string& type, const protocol::Netconf& netconf,
                                       bool direct, bool may_attach) const;
  void change(std::vector<policy::Member>& ruled, bool direct);
  [[nodiscard]] Member make_added(const policy::Ruling::Added& added, std::size_t ordinal) const;
  void put_added(std::vector<Member>& members, std::vector<policy::Member>& ruled);
  void warn_of_added() const;
  void find_host_links();

  const Request& request_;
  VerbHost& host_;
  const policy::Policy policy_;
  policy::Facts facts_;
  std::optional<policy::Ruling> ruling_;
};

}  // namespace unicni::chain
