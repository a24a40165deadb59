// Undo record "localnet": interfaces whose route_localnet nobody needs any more.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "unicni/netfilter/element.h"
#include "unicni/undo.h"
#include "unicni/undo/host_kernel.h"

namespace unicni::undo {

/// Versions up to 0.1 wrote no link into the record, and no element of who needs it.
bool is_former_localnet(const Undo& record);

/// What the attachment whose record is undone knows itself.
struct OwnLocalnet {
  std::ptrdiff_t former = 0;  ///< how many of its records are of former versions
  std::string owner;          ///< whose record it is, as comments of elements have it
  /// The element that its ADD put into localnet_if and that is gone.
  std::optional<net::NftElement> lost;
};

/// restore_idle_localnets() of unicni/undo/localnet.h while records are undone. A link stays as it
/// is while a journal of another attachment needs it, and all do while one of a former version is
/// there; what was lost is then put in again.
void restore_idle_localnets(HostKernel& host, const OwnLocalnet& own);

}  // namespace unicni::undo
