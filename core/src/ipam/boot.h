// Which boot a reservation is of.
#pragma once

#include <cstdint>
#include <string>

#include "ipam/index_format.h"
#include "unicni/result.h"

namespace unicni::ipam {

BootId current_boot();
/// When this boot began, nanoseconds of the wall clock as it goes now.
std::int64_t boot_time();
/// libcni's cache, the folder `results` ("": none), knows a namespace of this attachment, and that
/// is gone.
bool cached_netns_is_gone(const std::string& results, const std::string& network,
                          const Attachment& owner);

}  // namespace unicni::ipam
