// What a plain YAML scalar is: by the kind of value that its key takes, or, where nobody knows the
// key, by the core schema of YAML 1.2.2 (chapter 10.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicni::document {

/// Where a boolean is expected: true, false, yes, no, on and off in small letters, Capitalised or
/// ALL CAPITALS are "true" or "false", as in YAML 1.1, whose booleans many people know. nullopt: no
/// boolean.
std::optional<std::string> plain_boolean(std::string_view text);

/// Where an integer is expected, it as a JSON number: decimals keep their digits but for "_"
/// between them (1_000) and a "+"; 0x… and 0o… become decimal. What looks like a JSON number with a
/// fraction or exponent stays, as 1.0 and 1e3 are integers to option tables. nullopt: no integer,
/// or larger than 64 bits in hexadecimal or octal, or a decimal with a 0 in front (010), which is 8
/// in YAML 1.1 and 10 in YAML 1.2.
std::optional<std::string> plain_integer(std::string_view text);

/// Where anything may be: JSON text of null, booleans (true, True, TRUE …), integers (also 0x…,
/// 0o… and 010, which is 10) and fractions, as the core schema has them; numbers keep their digits
/// but for what JSON doesn't allow: a "+", zeros in front, a point without a digit beside it. All
/// else is a string: no, 1_000, 12:30, and numbers that JSON can't say: .inf, .nan, 1e999, 0x… over
/// 64 bits.
std::string plain_json(std::string_view text);

/// 100M, 1G, 5Mi: a whole number with k, M, G, T (thousands) or Ki, Mi, Gi, Ti (1024s) behind it.
/// nullopt: none, or beyond 64 bits.
std::optional<std::int64_t> parse_size(std::string_view text);

}  // namespace unicni::document
