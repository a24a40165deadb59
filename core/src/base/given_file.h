// A file that a person named, and so may be anything.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace unicni {

/// The whole of a plain file, or what comes through a pipe, as a shell makes of <(…) and
/// /dev/stdin; nullopt if there is nothing at `path`. Error(invalid_config), which names it, for a
/// folder or a device, for more than `limit` bytes, and for a pipe that isn't closed within
/// `patience`; Error(internal) for what the kernel refuses.
std::optional<std::string> read_given_file(
    const std::string& path, std::size_t limit,
    std::chrono::milliseconds patience = std::chrono::seconds(30));

}  // namespace unicni
