// What a host or a container looks like, so that a check can compare before and after.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "conformance/json.h"

namespace unicni::conformance {

/// What there is, by a key that begins with its kind and, but for rules and nftables, its link or
/// path: "link eth0", "addr eth0 10.1.2.3/24", "route eth0 …", "rule …", "qdisc eth0 …", "nft …",
/// "element …" (of an nftables set), "file /run/…". The value is the rest. Left out is what the
/// kernel changes by itself: timers, carrier, counters, link-local addresses and their routes.
using State = std::map<std::string, std::string>;

/// Links, addresses, routes, rules, qdiscs and, where nft(8) is installed, nftables objects.
State kernel_state(int netns = -1);
/// kernel_state() and the files below /run and /var/lib, but for the suite's own.
State host_state();
/// Without a link, its addresses, routes and qdiscs.
State without_link(State state, const std::string& name);
/// What is new, gone and changed, each in a line; empty if nothing is.
std::string difference(const State& before, const State& after);

/// Names of all links but lo.
std::vector<std::string> link_names(int netns = -1);
/// "default via 10.22.0.1", "10.9.0.0/16": of the main table, without link-local and multicast.
std::vector<std::string> routes_of(int netns);
/// "10.22.0.2/16" of a link, without link-local ones.
std::vector<std::string> addresses_of(const std::string& link, int netns);
/// Runs ip(8) or its like and reads its JSON; no output is an empty list.
Json tool_json(const std::vector<std::string>& argv, int netns = -1);

/// The files of the suite itself on a check's host.
inline constexpr const char* kSuiteFolder = "/run/conformance";

}  // namespace unicni::conformance
