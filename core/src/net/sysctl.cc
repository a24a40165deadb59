#include "unicni/net/sysctl.h"

#include <fmt/core.h>

#include <string_view>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::net {
namespace {

/// Keys may come from a network configuration: nothing outside /proc/sys/net is reachable by one.
std::string path_of(const std::string& key) {
  const std::string fenced = '/' + key + '/';
  if (!key.starts_with("net/") || fenced.find("/../") != std::string::npos ||
      key.find('\0') != std::string::npos) {
    throw Error(Code::invalid_config, fmt::format("sysctl \"{}\" is not below net/", key),
                "write it as in net/ipv4/conf/eth0/arp_ignore");
  }
  return "/proc/sys/" + key;
}

/// Runs of blanks and tabs as one blank, none at the ends: lists of numbers come with tabs.
std::string normalised(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (!blank) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

std::optional<std::string> read(const std::string& path) {
  auto value = sys::read_file(path);
  if (value) value->erase(value->find_last_not_of(" \t\n") + 1);
  return value;
}

}  // namespace

std::optional<std::string> find_sysctl(const std::string& key, const Netns* in) {
  const std::string path = path_of(key);
  if (in == nullptr) return read(path);
  std::optional<std::string> value;
  in->run([&] { value = read(path); });
  return value;
}

bool same_sysctl_value(const std::string& a, const std::string& b) {
  return normalised(a) == normalised(b);
}

bool set_sysctl(const std::string& key, const std::string& value) {
  const std::string path = path_of(key);
  try {
    sys::write_file_in_place(path, value);
    return true;
  } catch (const Error&) {
    const auto present = read(path);
    if (!present) return false;
    if (normalised(*present) == normalised(value)) return true;
    throw;
  }
}

bool ensure_sysctl(const std::string& key, const std::string& value, const Netns* in) {
  const std::string path = path_of(key);
  bool exists = false;
  const auto work = [&] {
    const auto old = read(path);
    exists = old.has_value();
    if (exists && normalised(*old) != normalised(value)) sys::write_file_in_place(path, value);
  };
  if (in == nullptr) {
    work();
  } else {
    in->run(work);
  }
  return exists;
}

}  // namespace unicni::net
