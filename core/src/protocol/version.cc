#include "protocol/version.h"

#include <charconv>
#include <cstddef>

namespace unicni::protocol {

/// Versions are compared as texts: "1.0" is none.
std::optional<SpecVersion> find_version(std::string_view text) {
  for (std::size_t i = 0; i < kSpecVersions.size(); ++i) {
    if (kSpecVersions[i] == text) return static_cast<SpecVersion>(i);
  }
  return std::nullopt;
}

std::string_view version_text(SpecVersion version) {
  return kSpecVersions[static_cast<std::size_t>(version)];
}

std::string list_versions(std::string_view separator) {
  std::string list;
  for (const std::string_view version : kSpecVersions) {
    if (!list.empty()) list += separator;
    list += version;
  }
  return list;
}

/// Three layouts of a result exist: one object a family (to 0.2.0), addresses with a version (to
/// 0.4.0), addresses alone (from 1.0.0).
ResultFamily result_family(SpecVersion version) {
  if (version < SpecVersion::v0_3_0) return ResultFamily::ip4_ip6;
  return version < SpecVersion::v1_0_0 ? ResultFamily::versioned_ips : ResultFamily::plain_ips;
}

/// As libcni's ParseVersion: one to three numbers, what is missing is 0.
std::optional<VersionParts> version_parts(std::string_view text) {
  VersionParts parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    if (part.empty() || part.front() == '-') return std::nullopt;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), parts[i]);
    if (error != std::errc{} || end != part.data() + part.size()) return std::nullopt;
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
  return std::nullopt;
}

/// Also for versions that we don't know: a verb may be allowed although the rest is refused.
std::optional<bool> at_least(std::string_view text, SpecVersion gate) {
  const auto parts = version_parts(text);
  if (!parts) return std::nullopt;
  return *parts >= *version_parts(version_text(gate));
}

}  // namespace unicni::protocol
