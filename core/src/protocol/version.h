// Versions of the CNI spec: what each one has.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicni::protocol {

enum class SpecVersion : unsigned char { v0_1_0, v0_2_0, v0_3_0, v0_3_1, v0_4_0, v1_0_0, v1_1_0 };

inline constexpr std::array<std::string_view, 7> kSpecVersions = {
    "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
inline constexpr SpecVersion kNewest = SpecVersion::v1_1_0;

/// Exact text only: "1.0" is not "1.0.0" (VERN-07).
std::optional<SpecVersion> find_version(std::string_view text);
std::string_view version_text(SpecVersion version);

/// All of them, for messages.
std::string list_versions(std::string_view separator);

/// The three layouts of a result on the wire.
enum class ResultFamily : unsigned char { ip4_ip6, versioned_ips, plain_ips };
ResultFamily result_family(SpecVersion version);

/// Numeric value of one to three plain decimal parts, missing ones 0; nullopt: not a version
/// (signs, suffixes, a fourth part, an empty part or an empty text).
using VersionParts = std::array<std::int64_t, 3>;
std::optional<VersionParts> version_parts(std::string_view text);

/// Numeric comparison of a version text with a gate such as CHECK's 0.4.0; nullopt: not a version.
std::optional<bool> at_least(std::string_view text, SpecVersion gate);

}  // namespace unicni::protocol
