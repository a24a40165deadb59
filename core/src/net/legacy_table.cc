#include "net/legacy_table.h"

#include <netinet/in.h>
#include <sys/socket.h>
// Behind the C library's, which they give way to.
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::net {
namespace {

constexpr int kTries = 10;

// Both families have the same structures and numbers.
static_assert(sizeof(ipt_getinfo) == sizeof(ip6t_getinfo));
static_assert(sizeof(ipt_get_entries) == sizeof(ip6t_get_entries));
static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO && IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES);

bool has_table(Family family, const char* table) {
  // A thread may be in another network namespace than the process.
  const auto names =
      sys::read_file(family == Family::v4 ? "/proc/thread-self/net/ip_tables_names"
                                          : "/proc/thread-self/net/ip6_tables_names");
  return names && ('\n' + *names).find(std::string("\n") + table + '\n') != std::string::npos;
}

Error cannot_read(int error, const char* table) {
  return system_error(error, std::string("read table ") + table + " of iptables-legacy");
}

}  // namespace

bool legacy_has_chain(Family family, const char* table, const std::string& chain) {
  if (!has_table(family, table)) return false;
  const bool v4 = family == Family::v4;
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  const sys::Fd socket(::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!socket) throw cannot_read(errno, table);
  for (int tries = 0; tries < kTries; ++tries) {
    ipt_getinfo info{};
    std::strcpy(info.name, table);
    socklen_t size = sizeof info;
    if (::getsockopt(socket.get(), level, IPT_SO_GET_INFO, &info, &size) != 0) {
      throw cannot_read(errno, table);
    }
    size = static_cast<socklen_t>(sizeof(ipt_get_entries) + info.size);
    const std::unique_ptr<char[]> bytes(new char[size]);
    ipt_get_entries header{};
    std::strcpy(header.name, table);
    header.size = info.size;
    std::memcpy(bytes.get(), &header, sizeof header);
    if (::getsockopt(socket.get(), level, IPT_SO_GET_ENTRIES, bytes.get(), &size) == 0) {
      // Each chain starts with an entry that holds its name. Somebody's comment might hold it as
      // well: then the caller looks in vain, that is all.
      return std::string_view(bytes.get(), size).find(chain) != std::string_view::npos;
    }
    if (errno != EAGAIN) throw cannot_read(errno, table);  // EAGAIN: it changed its size meanwhile
  }
  return true;  // it changes all the time: let the caller look
}

}  // namespace unicni::net
