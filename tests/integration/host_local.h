// host-local called as a runtime calls an IPAM plugin, on a host that can be started again.
#pragma once

#include <sys/mount.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "integration/host_test.h"

namespace unicni::test {

inline constexpr const char* kNetworkFolder = "/var/lib/cni/networks/mynet/";

class HostLocalHost : public HostTest {
 protected:
  static Attachment job(const std::string& name, const std::string& subnet = "10.22.0.0/24") {
    Attachment job;
    job.config = Json::parse(R"({"cniVersion": "1.1.0", "name": "mynet", "type": "bridge",
                                 "ipam": {"type": "host-local"}})");
    job.config["ipam"]["subnet"] = subnet;
    job.type = "host-local";
    job.netns = "/run/netns/" + name;  // of no interest to IPAM
    job.container_id = name;
    return job;
  }
  static Attachment reference(Attachment job) {
    job.folder = kReferenceDir;
    job.config["cniVersion"] = "1.0.0";
    return job;
  }
  /// The address that ADD gives, or "" and a test failure.
  static std::string must_give(const Attachment& job) {
    const Json result = must_add(job);
    return result.contains("ips") ? result["ips"][0]["address"].get<std::string>() : "";
  }
  static std::string owner_of(const std::string& address) {
    return exists(kNetworkFolder + address) ? read_file(kNetworkFolder + address) : "(absent)";
  }

  /// The same disk, another boot: as far as a plugin can see.
  static void start_again() {
    static int boots = 0;
    const std::string id = "/run/boot-id-" + std::to_string(++boots);
    std::string text = "00000000-0000-4000-8000-000000000000\n";
    text.replace(text.size() - 1 - std::to_string(boots).size(), std::to_string(boots).size(),
                 std::to_string(boots));
    write_file(id, text);
    if (::mount(id.c_str(), "/proc/sys/kernel/random/boot_id", nullptr, MS_BIND, nullptr) != 0)
      throw std::system_error(errno, std::generic_category(), "mount over boot_id");
  }
};

}  // namespace unicni::test
