// What all attachments of the host have in our nftables ruleset: to make it again after somebody
// flushed it, and to hand a port on.
#pragma once

#include <string>
#include <vector>

#include "unicni/netfilter/nft.h"
#include "unicni/undo/host_kernel.h"

namespace unicni::undo {

/// What the journals of this host say, read anew for each question.
class RememberedRules final : public net::NftRecords {
 public:
  /// `kernel` and `container_id` outlive it. `folder`: of the journals; `container_id`: whose
  /// attachment is worked on.
  RememberedRules(HostKernel& kernel, std::string folder, const std::string& container_id)
      : kernel_(kernel), folder_(std::move(folder)), container_id_(container_id) {}

  /// The elements of all attachments whose namespace isn't gone, and those that their networks
  /// share; without those about an address that a DHCP lease has no more. Whoever has a port of the
  /// host keeps it from whoever has only announced that he wants it.
  net::NftMemory remembered() override;
  /// As far as their namespaces aren't gone. Of an element's owner, "network/container/ifname", a
  /// long one is cut: then only `container_id` can be known as its container.
  std::vector<std::vector<net::NftElement>> siblings(const std::string& owner) override;

 private:
  HostKernel& kernel_;
  std::string folder_;
  const std::string& container_id_;
};

}  // namespace unicni::undo
