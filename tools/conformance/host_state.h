// What a host or a container looks like, so that a check can compare before and after.
#pragma once

#include <string>
#include <vector>

#include "probe/kernel_state.h"

namespace unicni::conformance {

using probe::difference;
using probe::Json;
using probe::link_names;
using probe::routes_of;
using probe::State;
using probe::tool_json;
using probe::without_link;

/// As probe's: links, addresses, routes, rules, qdiscs, and, where nft(8) is installed, nftables
/// objects: "nft …", and "element …" of a set.
State kernel_state(int netns = -1);
/// kernel_state() and the files below /run and /var/lib, "file /run/…", but for the suite's own.
State host_state();
/// "10.22.0.2/16" of a link, without link-local ones.
std::vector<std::string> addresses_of(const std::string& link, int netns);

/// The files of the suite itself on a check's host.
inline constexpr const char* kSuiteFolder = "/run/conformance";
/// Where plugins are started. What one leaves there it would leave wherever its runtime stands.
inline constexpr const char* kWorkingFolder = "/run/working-folder";

}  // namespace unicni::conformance
