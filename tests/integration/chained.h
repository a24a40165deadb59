// Chained plugins in both ways that runtimes call them: in a list of one process, and process by
// process with prevResult.
#pragma once

#include "integration/host_test.h"

namespace unicni::test {

class ChainedTest : public HostTest {
 protected:
  /// bridge on cni0 with host-local, then `plugin`, as a list of one process.
  static Json list(const Json& plugin, const std::string& version = "1.0.0") {
    return {{"cniVersion", version},
            {"name", "mynet"},
            {"type", "unicni"},
            {"plugins", {bridge(), plugin}}};
  }
  static Json bridge() {
    Json config = mynet();
    config.erase("cniVersion");
    config.erase("name");
    return config;
  }
  /// The attachment of bridge alone, for plugins that come after it in processes of their own.
  Attachment bridged(const std::string& name = "c1", const std::string& version = "1.0.0") {
    return attachment(with_version(mynet(), version), name);
  }
  /// `plugin` as the next process after `first`, whose result is `result`.
  static Attachment after(const Attachment& first, const Json& result, Json plugin) {
    Attachment next = first;
    plugin["cniVersion"] = first.config["cniVersion"];
    plugin["name"] = first.config["name"];
    plugin["prevResult"] = result;
    next.config = std::move(plugin);
    return next;
  }
};

/// `tc -j qdisc show dev LINK`, its "root" or "ingress" qdisc; null: none.
inline Json qdisc_of(const std::string& link, const std::string& kind) {
  for (const Json& each : tool_json({"tc", "-j", "qdisc", "show", "dev", link})) {
    if (each.value("kind", "") == kind) return each;
  }
  return nullptr;
}

}  // namespace unicni::test
