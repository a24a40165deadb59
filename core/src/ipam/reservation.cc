#include "ipam/reservation.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::ipam {

namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// A container id: old versions of the reference took any text for one.
bool is_container(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
  });
}

/// The kernel takes names of any bytes but NUL, blanks and a few more, in no particular encoding.
bool is_if_name(std::string_view text) {
  return !text.empty() &&
         std::none_of(text.begin(), text.end(), [](char c) { return c == '\0' || is_blank(c); });
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

/// As the reference reads it: blanks around the words don't count, and a file without a second line
/// is of the old format.
std::optional<Attachment> parse_owner(std::string_view content) {
  const std::string_view text = trim(content);
  const std::size_t line_end = text.find('\n');
  const std::string_view container = trim(text.substr(0, line_end));
  const std::string_view if_name =
      line_end == std::string_view::npos ? std::string_view{} : trim(text.substr(line_end));
  if (!is_container(container) || (line_end != std::string_view::npos && !is_if_name(if_name)))
    return std::nullopt;
  return Attachment{std::string(container), std::string(if_name)};
}

/// A link in place of the file is unreadable on purpose: its target may be any file of the host.
ReservationFile read_reservation(const std::string& path) {
  std::optional<std::string> text;
  try {
    text = sys::read_file(path, sys::kFileLimit, sys::Links::refuse);
  } catch (const Error& error) {
    return {FileState::unreadable, {}, error.msg()};
  }
  if (!text) return {FileState::absent, {}, {}};
  std::optional<Attachment> owner = parse_owner(*text);
  if (!owner) return {FileState::nobodys, {}, {}};
  return {FileState::owned, *std::move(owner), {}};
}

std::string print_owner(const Attachment& owner) {
  return owner.if_name.empty() ? owner.container_id : owner.container_id + "\r\n" + owner.if_name;
}

/// Only the one spelling that this project and the reference write. "010.1.2.3" or "::ffff:a01:203"
/// are files of somebody else.
std::optional<IpAddress> reserved_by(const std::string& file_name) {
  const std::optional<IpAddress> address = IpAddress::parse(file_name);
  return address && address->str() == file_name ? address : std::nullopt;
}

std::optional<FileIdentity> identify(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_error(errno, "stat " + path);
  }
  return FileIdentity{status.st_ino, nanoseconds(status.st_ctim), nanoseconds(status.st_mtim),
                      S_ISREG(status.st_mode)};
}

}  // namespace unicni::ipam
