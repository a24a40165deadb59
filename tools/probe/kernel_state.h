// What a network namespace has, by ip(8) and tc(8), so that before and after can be compared.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "probe/json.h"

namespace unicni::probe {

/// What there is, by a key that begins with its kind and, but for rules, its link: "link eth0",
/// "addr eth0 10.1.2.3/24", "route eth0 …", "rule …", "qdisc eth0 …". The value is the rest.
using State = std::map<std::string, std::string>;

/// Links, addresses, routes, rules and qdiscs. Left out is what the kernel changes by itself
/// (timers, carrier, counters, link-local addresses and their routes) and the keys of ip's and
/// tc's JSON that are in `also`. Throws std::runtime_error if a tool fails.
State kernel_state(int netns, const std::set<std::string>& also = {});
/// Takes from a tool's JSON, in every depth, what kernel_state() leaves out.
void drop_transient(Json& json, const std::set<std::string>& also = {});
/// fe80::, multicast: as addresses and as destinations.
bool is_link_local(const std::string& address);

/// Without a link, its addresses, routes and qdiscs.
State without_link(State state, const std::string& name);
/// What is new, gone and changed, each in a line; empty if nothing is.
std::string difference(const State& before, const State& after);

/// Names of all links but lo.
std::vector<std::string> link_names(int netns);
/// "default via 10.22.0.1", "10.9.0.0/16", "default6 via fd00::1": of the main table, in the
/// kernel's order, without link-local and multicast.
std::vector<std::string> routes_of(int netns);

/// Runs ip(8) or its like with PATH alone and reads its JSON; no output is an empty list. Throws
/// std::runtime_error with what it printed unless it exits 0.
Json tool_json(const std::vector<std::string>& argv, int netns);

}  // namespace unicni::probe
