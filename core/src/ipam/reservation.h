// One reservation's file, as the reference writes it: "<container>\r\n<ifname>", or the old
// format's "<container>".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "unicni/ip.h"
#include "unicni/result.h"

namespace unicni::ipam {

enum class FileState : unsigned char { absent, owned, nobodys, unreadable };

struct ReservationFile {
  FileState state = FileState::absent;
  Attachment owner;     ///< of an owned one; without interface name: the old format
  std::string problem;  ///< of an unreadable one: why
};

/// A power cut leaves an empty file or one of NUL bytes: that is nobody's.
ReservationFile read_reservation(const std::string& path);
/// What the file holds; for an empty interface name that of the old format.
std::string print_owner(const Attachment& owner);
/// Owners are bytes, not text: what print_owner() makes of any that ADD takes is read back as that
/// one. nullopt: names nobody, as nothing, blanks, NUL bytes or a third line do.
std::optional<Attachment> parse_owner(std::string_view content);
/// The address whose reservation a file of this name is. Another spelling of an address is not the
/// file that anybody would reserve: nullopt.
std::optional<IpAddress> reserved_by(const std::string& file_name);

/// Tells one file from a later one of the same name.
struct FileIdentity {
  std::uint64_t inode = 0;
  std::int64_t changed = 0;   ///< ctime, nanoseconds
  std::int64_t modified = 0;  ///< mtime
  bool regular = false;       ///< a file, no folder, link or device
};
/// nullopt if there is none. Throws Error.
std::optional<FileIdentity> identify(const std::string& path);

}  // namespace unicni::ipam
