// What undoing works with.
#pragma once

#include <string_view>

#include "unicni/attachments.h"
#include "unicni/log.h"
#include "unicni/net/namespaces.h"
#include "unicni/netfilter/nft.h"

namespace unicni {

/// The kernel of the host as one verb sees it, and what is known of the host's attachments.
class HostKernel : public net::Namespaces {
 public:
  ~HostKernel() override;
  virtual net::Nft& nft() = 0;  ///< of the runtime's namespace
  virtual Attachments& attachments() = 0;
  /// One line: of a plugin on stderr, of a program where its sink puts it. Warnings once each.
  virtual void log(LogLevel level, std::string_view text) = 0;
};

}  // namespace unicni
