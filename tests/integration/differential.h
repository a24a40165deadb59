// The reference plugin and ours with the same configuration on equal hosts: what is different?
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/attachment.h"
#include "support/sandbox.h"

namespace unicni::test {

/// One configuration. Each side gets a fresh Sandbox with a container "c1", so a test that uses
/// this must not be in a sandbox itself (plain ::testing::Test).
struct Differential {
  Json config;  ///< cniVersion as Debian's plugins know it: 1.0.0 at most
  std::map<std::string, std::string> env = {};  ///< more variables, such as CNI_ARGS
  std::string if_name = "eth0";
  /// Plugins that follow, in the runtime's way: each is a process that gets its predecessor's
  /// result; DEL takes them in reverse, each with the last result.
  std::vector<Json> chain = {};
  /// Called on each fresh host before ADD: makes parents, bridges …; may complete the configuration
  /// (prevResult). Random names and MACs that it makes should be the same on both sides.
  std::function<void(const Container&, Json& config)> prepare = {};
  /// Stands in for the reference's ADD where Debian ships no plugin of that type: does by `ip` what
  /// the reference is documented to do, and returns the result; null: it refuses. Its DEL is
  /// IPAM's and the end of the link.
  std::function<Json(const Attachment&, const Container&)> model = {};

  /// Compares tables nat and filter of iptables and ip6tables as well.
  bool iptables = false;

  /// Compares the kernel also where a side refused: what a failed ADD leaves.
  bool leaks_of_refusals = false;

  /// "what: reference's | ours", sorted; "-": not there. What is compared:
  ///   result …                   of ADD, key by key; if a side refused only "result: refused | ok"
  ///   member N, TYPE             of a chain, whether it was ok on DEL
  ///   host|container link NAME …  each field of `ip -d -j link`
  ///   host|container addr NAME ADDRESS …
  ///   host|container route …, rule …   whole lines of `ip -d`, all tables
  ///   host|container sysctl KEY  forwarding, and all of the links' net/ipv{4,6}/conf
  ///   host|container qdisc NAME …, filter NAME …   whole lines of `tc`
  ///   host iptables|ip6tables TABLE RULE   each with its place in its chain
  ///   file PATH                  below /var/lib/cni and /run/cni, but hidden ones
  /// Random host ends are veth1, veth2 … in the order they were made; a MAC that the configuration
  /// doesn't name is "mac of LINK", in the result as well, so that wrong ones show. Left out is
  /// what the kernel does by itself and by time: carrier, link-local addresses, counters.
  struct Lines {
    std::vector<std::string> add;
    std::vector<std::string> check;  ///< of a chain: "CHECK of member 2, tuning: ok | refused"
    std::vector<std::string> del;    ///< of what is there after ADD and DEL with prevResult
  };
  [[nodiscard]] Lines run() const;
};

}  // namespace unicni::test
