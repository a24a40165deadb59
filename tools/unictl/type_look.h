// Types that a chain, a list or a policy names and that nobody may have.
#pragma once

#include <span>
#include <vector>

#include "document/chain.h"
#include "document/document.h"
#include "document/finding.h"
#include "module/registry.h"

namespace unicni::unictl {

/// A finding for each type, of a plugin, of a rule's "match" or of "modules", that is no module's
/// and no file's of CNI_PATH or of the executable's folder, with the nearest module. A plugin of
/// another maker may be missing here alone, so only where CNI_PATH says where plugins are it is a
/// wrong value.
std::vector<document::Finding> look_at_types(const document::Document& document,
                                             std::span<const document::TypeOptions> types,
                                             const module::Locations& where);

}  // namespace unicni::unictl
