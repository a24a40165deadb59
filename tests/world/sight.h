// What can be seen of attachments on a host and in containers, cheaply enough to look after each
// step.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "world/host.h"

namespace unicni::test::world {

/// One thing that names an attachment: where it is and what it is.
struct Trace {
  std::string network;  ///< empty: not told
  std::string container;
  std::string if_name;
  std::string what;  ///< "nft element", "link veth…", "reservation …", "journal …", "file …"
};

struct Sight {
  std::vector<Trace> traces;
  std::vector<std::string> rules;  ///< of iptables that name containers, as nft prints them
};

Sight look_at_host();

/// An interface inside a container.
struct Inside {
  bool exists = false;
  std::string mac;
  int mtu = 0;
  std::set<std::string> addresses;  ///< "10.1.0.2/16", without link-local ones
};
Inside look_inside(int netns, const std::string& if_name);
std::vector<std::string> links_inside(int netns);
/// "net/ipv4/tcp_fin_timeout" there.
std::string setting_inside(int netns, const std::string& key);

/// What is left in sets and maps of our tables.
std::vector<std::string> elements_left();

}  // namespace unicni::test::world
