// An attachment's owner, "network/container/ifname", where the kernel holds less than all of it. A
// text that is too long gets a hash in front and keeps its end, so that no two owners look the
// same.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace unicni {

/// As the comment of an nftables element: 128 bytes of printable ASCII without quotes. What doesn't
/// fit is "<hash of the owner>~<its end>"; no network's name has a '~'.
std::string owner_comment(const std::string& owner);
/// Whether a comment is of that shortened form.
bool is_shortened_owner(std::string_view comment) noexcept;

inline constexpr std::size_t kLongestAlias = 255;  ///< IFALIASZ with its NUL is 256
/// As IFLA_IFALIAS: all of it up to 255 bytes, else "<hash of the network>~<owner_comment()>".
std::string owner_alias(const std::string& network, const std::string& owner);
/// Whether an alias names an attachment, or one of `network`. Others are people's or other
/// programs'.
bool is_owner_alias(std::string_view alias) noexcept;
bool is_owner_alias_of(std::string_view alias, const std::string& network);
/// Whether both are of the same owner.
bool is_same_owner(const std::string& alias, const std::string& comment);
/// Until 0.1.0 long aliases were cut, without a hash: that of `owner`, and of others that begin as
/// it does.
bool is_cut_alias(std::string_view alias, std::string_view owner) noexcept;

}  // namespace unicni
