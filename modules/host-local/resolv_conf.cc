#include "resolv_conf.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::host_local {

namespace {

// Bytes. It comes back in each later request of the attachment, which have a limit as well.
constexpr std::size_t kLimit = 64U << 10U;

std::vector<std::string> words(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  std::vector<std::string> result;
  for (std::size_t begin = line.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    result.emplace_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return result;
}

void append(std::vector<std::string>& list, const std::vector<std::string>& line) {
  list.insert(list.end(), line.begin() + 1, line.end());
}

}  // namespace

Dns parse_resolv_conf(std::string_view text) {
  Dns dns;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string> line = words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.size() < 2 || line[0][0] == '#' || line[0][0] == ';') continue;
    if (line[0] == "nameserver") {
      dns.nameservers.push_back(line[1]);
    } else if (line[0] == "domain") {
      dns.domain = line[1];
    } else if (line[0] == "search") {
      append(dns.search, line);
    } else if (line[0] == "options") {
      append(dns.options, line);
    }
  }
  return dns;
}

Dns read_resolv_conf(const std::string& path) {
  if (path.front() != '/') {
    throw Error(Code::invalid_config,
                fmt::format("\"resolvConf\" is '{}', which is not an absolute path", path),
                "write an absolute path, such as /etc/resolv.conf");
  }
  const std::optional<std::string> text = sys::read_file(path, kLimit);
  if (!text) throw system_error(ENOENT, fmt::format("read \"resolvConf\" {}", path));
  return parse_resolv_conf(*text);
}

}  // namespace unicni::host_local
