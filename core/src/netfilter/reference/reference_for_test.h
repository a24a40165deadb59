// Debian's Go plugins, run for real in the calling thread's namespace.
#pragma once

#include <fmt/core.h>
#include <unistd.h>

#include <string>

#include "base/temp_folder_for_test.h"
#include "net/private_netns_for_test.h"

namespace unicni::net {

inline constexpr const char* kReferenceBridge = "/usr/lib/cni/bridge";

/// Tests with attachments that the reference makes, on network "mynet" with container "ctr1".
class ReferenceTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    if (::access(kReferenceBridge, X_OK) != 0) {
      GTEST_SKIP() << "Debian's containernetworking-plugins are needed";
    }
    PrivateNetnsTest::SetUp();
  }

  /// iptables and ip6tables of the reference are the legacy ones from now on.
  void use_legacy_iptables() {
    shell(
        fmt::format("mkdir {0} && for i in iptables ip6tables; do ln -s /usr/sbin/$i-legacy "
                    "{0}/$i; done",
                    programs_));
  }

  /// CNI_COMMAND `verb` of bridge with ipMasq, one address of each family.
  void reference(const std::string& verb, const std::string& if_name, const std::string& address4,
                 const std::string& address6, const std::string& container = "ctr1") {
    const std::string config = fmt::format(
        R"({{"cniVersion":"0.4.0","name":"mynet","type":"bridge","bridge":"cni0","ipMasq":true,)"
        R"("ipam":{{"type":"static","addresses":[{{"address":"{}"}},{{"address":"{}"}}]}}}})",
        address4, address6);
    shell(fmt::format(
        "echo '{}' | PATH={}:/usr/sbin:/usr/bin CNI_COMMAND={} CNI_CONTAINERID={} "
        "CNI_NETNS={} CNI_IFNAME={} CNI_PATH=/usr/lib/cni {}",
        config, programs_, verb, container, container_.path(), if_name, kReferenceBridge));
  }

 private:
  TempFolder temp_;
  std::string programs_ = temp_ / "programs";
  NewNetns container_;
};

}  // namespace unicni::net
