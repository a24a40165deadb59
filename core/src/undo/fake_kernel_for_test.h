// A host for tests: the namespace of the calling thread is both host and container.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/undo/host_kernel.h"

namespace unicni {

/// Of HostKernel or Host. Handles are opened on first use.
template <class Base>
class FakeKernelOf : public Base {
 public:
  net::Netlink& host_links() override {
    if (!links_) links_.emplace();
    return *links_;
  }
  const net::Netns& host_netns() override {
    if (!netns_) netns_.emplace(net::Netns::current());
    return *netns_;
  }
  const net::Netns* container_netns() override {
    return container_is_there ? &host_netns() : nullptr;
  }
  net::Netlink& container_links() override { return host_links(); }
  net::Nft& nft() override {
    if (!nft_) nft_.emplace();
    return *nft_;
  }
  Attachments& attachments() override { return attachments_; }
  void log(LogLevel, std::string_view text) override { lines.emplace_back(text); }

  bool container_is_there = true;
  std::vector<std::string> lines;  ///< what was logged
  [[nodiscard]] bool opened_links() const { return links_.has_value(); }
  [[nodiscard]] bool opened_nft() const { return nft_.has_value(); }

 private:
  std::optional<net::Netns> netns_;
  std::optional<net::Netlink> links_;
  std::optional<net::Nft> nft_;
  Attachments attachments_{*this, std::nullopt};
};

using FakeKernel = FakeKernelOf<HostKernel>;

}  // namespace unicni
