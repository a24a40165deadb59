// What libcni remembers of an attachment (its result cache, /var/lib/cni/results).
#pragma once

#include <optional>
#include <string>

namespace unicni::protocol {

/// The namespace's path in the cache entry `text`; nullopt unless it is a whole entry of exactly
/// this attachment with a namespace. The file's name alone says too little: dashes are legal in its
/// parts.
std::optional<std::string> cached_netns(const std::string& text, const std::string& network,
                                        const std::string& container_id,
                                        const std::string& if_name);

}  // namespace unicni::protocol
