// Backend "iptables": the reference's chains and rules.
#pragma once

#include "plan.h"

namespace unicni::portmap {

/// ADD: the rules, announced to Host::undo() first. A port that another container has is refused,
/// naming it. Throws Error.
void publish_by_iptables(const Call& call, Host& host, const Plan& plan);
/// ADD of backend nftables: the same for what containers have in iptables, which comes first and
/// would shadow our own. A dead one's rules go, be it of this container's earlier life. No program
/// unless a rule names one of the ports.
void require_unclaimed_by_iptables(const Call& call, Host& host, const Plan& plan);
/// CHECK: the rules are there, and no dead one's come before them. Throws Error.
void check_iptables(const Call& call, Host& host, const Plan& plan);
/// CHECK of backend nftables: no dead one's rules in iptables have the ports. Throws Error.
void check_no_void_iptables(const Call& call, Host& host, const Plan& plan);
/// CHECK: whether rules of the reference, of either of its backends, publish these ports, and are
/// not ours by the same names. Without its tables of backend nftables it is a process for each
/// family.
bool are_references(const Call& call, Host& host, const Plan& plan);
/// DEL: what either backend of the reference, or this one, made, whatever the configuration says.
void remove_reference_rules(const Call& call, Host& host);

}  // namespace unicni::portmap
