#include "base/owner.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

namespace unicni {
namespace {

constexpr std::size_t kLongestComment = 128;  // NFTNL_UDATA_COMMENT_MAXLEN
constexpr std::size_t kHash = 17;             // 16 digits and '~'

/// FNV-1a: the same in every build and version, as comments and aliases outlive both.
std::string hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3U;
  return fmt::format("{:016x}~", hash);
}

bool begins_with_hash(std::string_view text) {
  return text.size() >= kHash && text[kHash - 1] == '~' &&
         text.find_first_not_of("0123456789abcdef") == kHash - 1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
/// Others print aliases, iproute2 as JSON: with control characters that would be none. One with
/// other bytes stays as it is, as GC may know a name that isn't UTF-8 but by what is like it.
bool fits_alias(const std::string& owner) {
  return std::ranges::none_of(owner, is_control) || !std::ranges::all_of(owner, is_ascii);
}

bool fits_comment(char c) { return c >= ' ' && c <= '~' && c != '"'; }

}  // namespace

/// The end is kept and not the beginning: container and interface, which tell most, stand there.
std::string owner_comment(const std::string& owner) {
  std::string text = owner;
  std::ranges::replace_if(
      text, [](char c) { return !fits_comment(c); }, '_');
  if (text == owner && text.size() <= kLongestComment) return text;
  const std::size_t room = kLongestComment - kHash;
  return hash_of(owner) + (text.size() > room ? text.substr(text.size() - room) : text);
}

bool is_shortened_owner(std::string_view comment) noexcept { return begins_with_hash(comment); }

/// The hash of the network comes first, so that GC can tell by an alias of any length whether it is
/// of its network.
std::string owner_alias(const std::string& network, const std::string& owner) {
  const bool fits = owner.size() <= kLongestAlias && fits_alias(owner);
  return fits ? owner : hash_of(network) + owner_comment(owner);
}

bool is_owner_alias(std::string_view alias) noexcept {
  if (begins_with_hash(alias)) return begins_with_hash(alias.substr(kHash));
  return std::ranges::count(alias, '/') == 2;
}

bool is_owner_alias_of(std::string_view alias, const std::string& network) {
  if (begins_with_hash(alias)) return is_owner_alias(alias) && alias.starts_with(hash_of(network));
  return alias.starts_with(network + '/');
}

/// The alias of a link and the comment of a rule have different limits. This compares across both
/// forms.
bool is_same_owner(const std::string& alias, const std::string& comment) {
  if (begins_with_hash(alias)) return alias.substr(kHash) == comment;
  return owner_comment(alias) == comment;
}

bool is_cut_alias(std::string_view alias, std::string_view owner) noexcept {
  return alias.size() == kLongestAlias && owner.size() > kLongestAlias && owner.starts_with(alias);
}

}  // namespace unicni
