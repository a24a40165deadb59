// What names may look like: container ids, network names, interface names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unicni::protocol {

/// Whether it can be a container id or a network's name.
bool valid_name(std::string_view text);
/// Why it can't be an interface's name; nullopt: it can.
std::optional<std::string> refuse_if_name(std::string_view name);
/// The same with what the kernel refuses or changes, though the spec allows it: ADD and CHECK. A
/// DEL of such a name has nothing to do, and no reason to fail.
std::optional<std::string> refuse_new_if_name(std::string_view name);

}  // namespace unicni::protocol
