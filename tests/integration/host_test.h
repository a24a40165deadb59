// The fixture of the integration tests: one host, containers on demand.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <string>

#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/sandbox.h"

namespace unicni::test {

/// Makes `path`, from which a container's namespace is gone, lead into that of whoever opens it: as
/// /proc/PID/ns/net does when the number is a process of the host's by now.
inline void lead_to_host(const std::string& path) { tool({"ln", "-s", "/proc/self/ns/net", path}); }

class HostTest : public ::testing::Test {
 protected:
  /// A namespace; its references stay valid.
  Container& container(const std::string& name = "c1") { return containers_.emplace_back(name); }
  /// Container `name` (a new namespace, its container id, "eth0") on a network.
  Attachment attachment(const Json& config, const std::string& name = "c1") {
    return {.config = config, .netns = container(name).path(), .container_id = name};
  }
  /// The descriptor of an attachment's namespace.
  int netns(const Attachment& attachment) { return container_of(attachment).fd(); }
  /// The ADD fails, and neither host, container nor journal differ from before; the error.
  Json expect_no_trace(const Attachment& job, unsigned code = 0) {
    const Snapshot host = snapshot();
    const Snapshot inside = kernel_snapshot(netns(job));
    Json error = expect_error(job.add(), code);
    EXPECT_EQ(difference(host, snapshot()), "");
    EXPECT_EQ(difference(inside, kernel_snapshot(netns(job))), "");
    EXPECT_THAT(files_in(kJournals), ::testing::IsEmpty());
    return error;
  }
  /// The namespace of an attachment made by attachment().
  Container& container_of(const Attachment& attachment) {
    for (Container& each : containers_) {
      if (each.path() == attachment.netns) return each;
    }
    throw std::runtime_error("no container " + attachment.netns);
  }

  Sandbox sandbox_;
  std::list<Container> containers_;
};

/// What an attachment to mynet may leave on its host: the bridge.
inline std::string left_on_host(const Snapshot& before) {
  return difference(without_link(before, "cni0"), without_link(snapshot(), "cni0"));
}

/// mynet at the version whose result shows interfaces.
inline Json mynet_1_0() { return with_version(mynet(), "1.0.0"); }

/// Everything a result may hold for the interface in the container.
inline Json container_interface(const Json& result) {
  for (const Json& interface : result.value("interfaces", Json::array())) {
    if (interface.value("sandbox", "") != "") return interface;
  }
  return nullptr;
}

/// Name of the veth's end on the host.
inline std::string host_end(const Json& result) {
  for (const Json& interface : result.value("interfaces", Json::array())) {
    const std::string name = interface.value("name", "");
    if (interface.value("sandbox", "") == "" && name.starts_with("veth")) return name;
  }
  return {};
}

}  // namespace unicni::test
