// A host for fixtures that never touch theirs.
#pragma once

#include <cstdlib>

#include "unicni/host.h"

namespace unicni::module {

class NoHost final : public Host {
 public:
  net::Netlink& host_links() override { std::abort(); }
  const net::Netns& host_netns() override { std::abort(); }
  const net::Netns* container_netns() override { return nullptr; }
  net::Netlink& container_links() override { std::abort(); }
  net::Nft& nft() override { std::abort(); }
  UndoLog& undo() override { std::abort(); }
  std::optional<sys::Lock> hold_shared_links() override { return std::nullopt; }
  Ipam& ipam() override { std::abort(); }
  void log(LogLevel, std::string_view) override {}
};

}  // namespace unicni::module
