// What a namespace looks like, so that a test can compare before and after, and read what a plugin
// made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/kernel_state.h"
#include "support/process.h"

namespace unicni::test {

/// Every link, address, route, rule, qdisc, firewall object and file of the test's host, one text
/// each. Left out is what the kernel changes by itself or what outlives an attachment by design:
/// carrier and bridge timers, link-local addresses, the static tables of unicni and its per-network
/// subnets, locks and cursors of host-local.
using Snapshot = probe::State;
Snapshot snapshot(int netns = -1);
/// Only the kernel half, of a container.
Snapshot kernel_snapshot(int netns);
/// Of a bridge's link: what may stay after DEL.
using probe::difference;
using probe::without_link;

/// `ip -d -j link show` of one link; nullopt if there is none.
std::optional<Json> find_link(const std::string& name, int netns = -1);
/// Names of all links but lo.
inline std::vector<std::string> link_names(int netns = -1) { return probe::link_names(netns); }
/// "10.22.0.2/16" … of a link without link-local ones; "?" behind a tentative one.
std::vector<std::string> addresses_of(const std::string& link, int netns = -1);
using probe::routes_of;
/// Elements of a set of table inet unicni, as "key owner".
std::vector<std::string> nft_elements(const std::string& set);
/// Addresses of one family (4 or 6) that are masqueraded, of all subnets, as "address owner".
std::vector<std::string> masqueraded(int family);
/// Comments of the elements of table inet unicni, of one set or of all: attachments, and networks.
std::vector<std::string> owners(const std::string& set = "");
/// Value of a sysctl of the namespace, without the line end: "net/ipv4/ip_forward".
std::string sysctl(const std::string& key, int netns = -1);
/// Where the journals of attachments are.
inline constexpr const char* kJournals = "/run/unicni/attachments";
/// Names in a folder, sorted; empty if it doesn't exist.
std::vector<std::string> files_in(const std::string& folder);
/// host-local's reservations of a network: the addresses in order of name.
std::vector<std::string> reservations(const std::string& network,
                                      const std::string& data_dir = "/var/lib/cni/networks");

}  // namespace unicni::test
