// A container's interface that no plugin made, for verbs whose configuration is broken.
#pragma once

#include "integration/host_test.h"

namespace unicni::test {

/// eth0 with 10.1.2.3/24, whose host end is vhost0; as a prevResult.
inline Json attach_by_hand(const Container& inside) {
  tool({"ip", "link", "add", "vhost0", "type", "veth", "peer", "name", "eth0", "netns",
        inside.path()});
  inside.run({"ip", "addr", "add", "10.1.2.3/24", "dev", "eth0"});
  inside.run({"ip", "link", "set", "eth0", "up"});
  return {{"cniVersion", "1.1.0"},
          {"interfaces", {{{"name", "vhost0"}}, {{"name", "eth0"}, {"sandbox", inside.path()}}}},
          {"ips", {{{"address", "10.1.2.3/24"}, {"interface", 1}}}}};
}

}  // namespace unicni::test
