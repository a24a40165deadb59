#include "unicni/ipam/store.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::ipam {

namespace {

constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0600;
constexpr mode_t kLockMode = 0750;
constexpr std::time_t kAbandonedAfter = 10;  // seconds

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_word(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// "<container>\r\n<ifname>", or the old format's "<container>". nullopt: names nobody. A power cut
// leaves an empty file or one of NUL bytes.
std::optional<Attachment> parse_owner(std::string_view content) {
  const std::string_view text = trim(content);
  const std::size_t line_end = text.find('\n');
  const std::string_view container = trim(text.substr(0, line_end));
  const std::string_view if_name =
      line_end == std::string_view::npos ? std::string_view{} : trim(text.substr(line_end));
  if (!is_word(container) || (line_end != std::string_view::npos && !is_word(if_name)))
    return std::nullopt;
  return Attachment{std::string(container), std::string(if_name)};
}

enum class State : unsigned char { absent, owned, nobodys, unreadable };

struct Content {
  State state = State::absent;
  Attachment owner;
};

Content read_reservation(const std::string& path) {
  std::optional<std::string> text;
  try {
    text = sys::read_file(path);
  } catch (const Error&) {
    return {State::unreadable, {}};
  }
  if (!text) return {State::absent, {}};
  std::optional<Attachment> owner = parse_owner(*text);
  if (!owner) return {State::nobodys, {}};
  return {State::owned, *std::move(owner)};
}

std::string print_owner(const Attachment& owner) {
  return owner.container_id + "\r\n" + owner.if_name;
}

std::string folder_of(const std::string& data_dir, const std::string& network) {
  if (network.empty() || network == "." || network == ".." ||
      network.find('/') != std::string::npos) {
    throw Error(Code::invalid_config,
                fmt::format("network name '{}' can't name a folder below {}", network, data_dir));
  }
  return data_dir + '/' + network;
}

std::string cursor_name(int set_index) { return fmt::format("/last_reserved_ip.{}", set_index); }

}  // namespace

Store::Store(const std::string& data_dir, const std::string& network, Deadline deadline,
             bool create)
    : folder_(folder_of(data_dir, network)) {
  if (create) {
    sys::ensure_folder(folder_, kFolderMode);
  } else if (::access(folder_.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return;
  }
  lock_.emplace(folder_ + "/lock", kLockMode, sys::lock_deadline(deadline));
}

std::string Store::path(const IpAddress& address) const { return folder_ + '/' + address.str(); }

bool Store::reserve(const IpAddress& address, const Attachment& owner, int set_index,
                    const Announce& will) {
  const std::string file = path(address);
  // Looked at before it is announced: the walk passes taken addresses, which must not fill the
  // journal, and one that is taken by this very owner must not be undone with a failed ADD.
  const State state = read_reservation(file).state;
  if (state != State::absent && state != State::nobodys) return false;

  const std::string content = print_owner(owner);
  will(file, content);
  if (state == State::nobodys) {
    sys::write_file_atomically(file, content, kFileMode);
  } else if (!sys::create_file(file, content, kFileMode)) {
    return false;  // somebody doesn't heed the lock
  }
  try {
    sys::overwrite_file(folder_ + cursor_name(set_index), address.str(), kFileMode);
  } catch (const Error&) {
    sys::remove_file(file);
    throw;
  }
  return true;
}

std::vector<IpAddress> Store::find(const Attachment& owner) const {
  std::vector<IpAddress> with_if_name;
  std::vector<IpAddress> old_format;
  for (const Reservation& each : list()) {
    if (each.container_id.empty() || each.container_id != owner.container_id) continue;
    if (each.if_name.empty()) {
      old_format.push_back(each.address);
    } else if (each.if_name == owner.if_name) {
      with_if_name.push_back(each.address);
    }
  }
  return with_if_name.empty() ? old_format : with_if_name;
}

std::size_t Store::release(const Attachment& owner) {
  std::size_t removed = 0;
  std::optional<Error> failure;
  for (const IpAddress& address : find(owner)) {
    try {
      removed += sys::remove_file(path(address)) ? 1U : 0U;
    } catch (const Error& error) {
      if (!failure) failure = error;
    }
  }
  if (failure) throw Error(*failure);
  return removed;
}

std::optional<IpAddress> Store::last_reserved(int set_index) const {
  try {
    const std::optional<std::string> text = sys::read_file(folder_ + cursor_name(set_index));
    return text ? IpAddress::parse(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // only a hint where to begin
  }
}

std::vector<IpAddress> Store::addresses() const {
  std::vector<IpAddress> result;
  if (!exists()) return result;
  for (const std::string& name : sys::list_folder(folder_)) {
    const std::optional<IpAddress> address = IpAddress::parse(name);
    // Another spelling of an address is not the file that anybody would reserve.
    if (address && address->str() == name) result.push_back(*address);
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<Reservation> Store::list() const {
  std::vector<Reservation> result;
  for (const IpAddress& address : addresses()) {
    Content content = read_reservation(path(address));
    if (content.state == State::absent) continue;
    result.push_back(
        {address, std::move(content.owner.container_id), std::move(content.owner.if_name)});
  }
  return result;
}

void Store::remove(const IpAddress& address) { sys::remove_file(path(address)); }

bool Store::remove_abandoned(const IpAddress& address) {
  const std::string file = path(address);
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || std::time(nullptr) - status.st_mtime <= kAbandonedAfter)
    return false;
  return read_reservation(file).state == State::nobodys && sys::remove_file(file);
}

void require_writable(const std::string& data_dir, const std::string& network) {
  std::string folder = folder_of(data_dir, network);
  while (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    if (errno != ENOENT || folder.find_last_of('/') == std::string::npos) {
      throw system_error(errno,
                         fmt::format("use {} for the addresses of network {}", folder, network));
    }
    const std::size_t slash = folder.find_last_of('/');
    folder.resize(std::max<std::size_t>(slash, 1));
  }
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) throw system_error(errno, "stat " + folder);
  if (!S_ISDIR(status.st_mode)) {
    throw system_error(ENOTDIR,
                       fmt::format("use {} for the addresses of network {}", folder, network));
  }
}

}  // namespace unicni::ipam
