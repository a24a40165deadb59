// Numbers of JSON as rules compare them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace unicni::policy {

/// A whole number however it is written (1500, 1.5e3, 1500.0); nullopt: none, or beyond 64 bits.
std::optional<std::int64_t> whole_number(std::string_view json);

}  // namespace unicni::policy
