#include "netfilter/iptables/legacy_table.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
// Behind the C library's, which they give way to.
#include <fmt/core.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "netfilter/harmless_target.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::net {
namespace {

constexpr int kTries = 10;
constexpr int kVerdictDrop = -NF_DROP - 1;
constexpr int kVerdictAccept = -NF_ACCEPT - 1;
constexpr int kVerdictQueue = -NF_QUEUE - 1;

// Both families have the same structures and numbers here; what an entry matches differs.
static_assert(sizeof(ipt_getinfo) == sizeof(ip6t_getinfo));
static_assert(sizeof(ipt_get_entries) == sizeof(ip6t_get_entries));
static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO && IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES);

Error cannot_read(int error, const char* table) {
  return system_error(error, fmt::format("read table {} of iptables-legacy", table));
}

/// The kernel's answers about one table, which must exist: asking makes it.
class Question {
 public:
  Question(Family family, const char* table)
      : table_(table),
        level_(family == Family::v4 ? IPPROTO_IP : IPPROTO_IPV6),
        socket_(::socket(family == Family::v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
                         IPPROTO_RAW)) {
    if (!socket_) throw cannot_read(errno, table_);
  }
  [[nodiscard]] ipt_getinfo info() const {
    ipt_getinfo info{};
    std::strncpy(info.name, table_, sizeof info.name - 1);
    socklen_t size = sizeof info;
    if (::getsockopt(socket_.get(), level_, IPT_SO_GET_INFO, &info, &size) != 0) {
      throw cannot_read(errno, table_);
    }
    return info;
  }
  /// All entries, one behind the other; nullopt: the table has another size by now.
  [[nodiscard]] std::optional<std::string> entries(const ipt_getinfo& info) const {
    std::string bytes(sizeof(ipt_get_entries) + info.size, '\0');
    // Field by field, as the structure ends with an array of no size, which C++ can't initialise.
    std::strncpy(bytes.data() + offsetof(ipt_get_entries, name), table_,
                 sizeof(ipt_get_entries::name) - 1);
    std::memcpy(bytes.data() + offsetof(ipt_get_entries, size), &info.size, sizeof info.size);
    auto size = static_cast<socklen_t>(bytes.size());
    if (::getsockopt(socket_.get(), level_, IPT_SO_GET_ENTRIES, bytes.data(), &size) == 0) {
      return bytes.substr(offsetof(ipt_get_entries, entrytable));
    }
    if (errno != EAGAIN) throw cannot_read(errno, table_);
    return std::nullopt;
  }

 private:
  const char* table_;
  int level_;
  sys::Fd socket_;
};

template <class T>
T at(std::string_view bytes, std::size_t offset) {
  if (offset + sizeof(T) > bytes.size()) {
    throw Error(Code::internal, "a table of iptables-legacy has entries that end behind it");
  }
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Text of a fixed field that ends with NUL, or with the field.
std::string text_at(std::string_view bytes, std::size_t offset, std::size_t size) {
  const std::string_view field = bytes.substr(std::min(offset, bytes.size()), size);
  return std::string(field.substr(0, field.find('\0')));
}

/// One entry as it lies in the table.
struct Parsed {
  LegacyRule rule;
  std::size_t next = 0;
  std::string starts;    ///< name of the chain that starts here, or "ERROR" at the table's end
  std::size_t jump = 0;  ///< offset of the first rule of another chain; 0: none
  bool drops = false;
};

constexpr std::size_t kMatchHeader = XT_ALIGN(sizeof(xt_entry_match));

bool is_match(std::string_view bytes, std::size_t offset, std::string_view name,
              std::uint8_t revision) {
  return text_at(bytes, offset + offsetof(xt_entry_match, u.user.name), XT_EXTENSION_MAXNAMELEN) ==
             name &&
         at<xt_entry_match>(bytes, offset).u.user.revision == revision;
}

/// `Entry` is ipt_entry or ip6t_entry; `What` its first member, all zero if it asks for nothing.
template <class Entry, class What>
Parsed parse(std::string_view bytes, std::size_t offset) {
  const auto entry = at<Entry>(bytes, offset);
  if (entry.next_offset < sizeof entry || entry.target_offset < sizeof entry) {
    throw Error(Code::internal, "a table of iptables-legacy has an entry without an end");
  }
  Parsed result;
  result.next = offset + entry.next_offset;
  What anything{};
  const bool any_packet = std::memcmp(&entry, &anything, sizeof anything) == 0;
  result.rule.plain = any_packet && entry.target_offset == sizeof entry;
  const std::size_t match = offset + sizeof entry;
  const std::size_t behind_mark = match + kMatchHeader + XT_ALIGN(sizeof(xt_mark_mtinfo1));
  const std::size_t behind_comment = behind_mark + kMatchHeader + XT_ALIGN(sizeof(xt_comment_info));
  const std::size_t end = offset + entry.target_offset;
  const bool commented = end == behind_comment && is_match(bytes, behind_mark, "comment", 0);
  if (any_packet && (end == behind_mark || commented) && is_match(bytes, match, "mark", 1)) {
    const auto mark = at<xt_mark_mtinfo1>(bytes, match + kMatchHeader);
    if (mark.invert == 0 && mark.mark == mark.mask) result.rule.mark = mark.mask;
    if (commented) {
      result.rule.comment = text_at(bytes, behind_mark + kMatchHeader, XT_MAX_COMMENT_LEN);
    }
  }
  const std::size_t target = offset + entry.target_offset;
  const std::string name =
      text_at(bytes, target + offsetof(xt_entry_target, u.user.name), XT_EXTENSION_MAXNAMELEN);
  const std::size_t data = target + sizeof(xt_entry_target);
  if (name == XT_ERROR_TARGET) {
    result.starts = text_at(bytes, data, XT_FUNCTION_MAXNAMELEN);
  } else if (name.empty()) {
    const int verdict = at<int>(bytes, data);
    result.rule.accepts = verdict == kVerdictAccept;
    result.drops = verdict == kVerdictDrop;
    result.rule.may_drop = result.drops || verdict == kVerdictQueue;
    // A jump to the next entry is a rule without target.
    if (verdict >= 0 && static_cast<std::size_t>(verdict) != result.next) {
      result.jump = static_cast<std::size_t>(verdict);
    }
  } else {
    result.rule.may_drop = !is_harmless_target(name);
  }
  return result;
}

/// Built-in chains have no names in the table. Their places do (valid_hooks, hook_entry).
const char* hook_name(unsigned hook) {
  constexpr const char* kNames[] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
  return kNames[hook];
}

/// A table is one row of entries. A chain of a user begins with an entry whose target is ERROR and
/// holds the name; jumps are offsets and are turned into names when all beginnings are known.
std::vector<LegacyChain> parse_chains(Family family, const ipt_getinfo& info,
                                      std::string_view bytes) {
  const auto parse_at =
      family == Family::v4 ? parse<ipt_entry, ipt_ip> : parse<ip6t_entry, ip6t_ip6>;
  std::vector<LegacyChain> chains;
  std::map<std::size_t, std::size_t> starts;      // offset of its first rule -> chain
  std::vector<std::vector<std::size_t>> targets;  // of jumps, by chain and rule
  for (std::size_t offset = 0; offset < bytes.size();) {
    Parsed entry = parse_at(bytes, offset);
    for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; ++hook) {
      if ((info.valid_hooks & (1U << hook)) == 0 || info.hook_entry[hook] != offset) continue;
      starts[offset] = chains.size();
      chains.push_back({hook_name(hook), {}, false});
      targets.emplace_back();
    }
    if (!entry.starts.empty()) {
      if (entry.next < bytes.size()) {
        starts[entry.next] = chains.size();
        chains.push_back({entry.starts, {}, false});
        targets.emplace_back();
      }
    } else if (!chains.empty()) {
      chains.back().ends_with_drop = entry.drops && entry.rule.plain;
      chains.back().rules.push_back(std::move(entry.rule));
      targets.back().push_back(entry.jump);
    }
    offset = entry.next;
  }
  for (std::size_t i = 0; i < chains.size(); ++i) {
    for (std::size_t k = 0; k < chains[i].rules.size(); ++k) {
      const auto found = starts.find(targets[i][k]);
      if (targets[i][k] != 0 && found != starts.end()) {
        chains[i].rules[k].target = chains[found->second].name;
      }
    }
    // The last one is the policy, or a chain's return.
    if (!chains[i].rules.empty()) chains[i].rules.pop_back();
  }
  return chains;
}

}  // namespace

/// The file lists tables of this network namespace only, and reading it makes none. Root in a user
/// namespace of a user's own may be refused: then no table there is ours, as nobody of ours could
/// have made rules in it.
bool has_legacy_table(Family family, const std::string& table) {
  // A thread may be in another network namespace than the process.
  const char* path = family == Family::v4 ? "/proc/thread-self/net/ip_tables_names"
                                          : "/proc/thread-self/net/ip6_tables_names";
  const sys::Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT || errno == EACCES || errno == EPERM) return false;
    throw system_error(errno, fmt::format("open {}", path));
  }
  return ('\n' + sys::read_rest(file, path)).find('\n' + table + '\n') != std::string::npos;
}

std::optional<LegacySize> find_legacy_size(Family family, const char* table) {
  if (!has_legacy_table(family, table)) return std::nullopt;
  const ipt_getinfo info = Question(family, table).info();
  return LegacySize{info.num_entries, info.size};
}

/// Size and entries are two questions; EAGAIN says that the table has changed between them.
std::optional<LegacyTable> read_legacy_table(Family family, const char* table) {
  if (!has_legacy_table(family, table)) return std::nullopt;
  const Question question(family, table);
  for (int tries = 0; tries < kTries; ++tries) {
    const ipt_getinfo info = question.info();
    const auto bytes = question.entries(info);
    if (!bytes) continue;
    return LegacyTable{{info.num_entries, info.size}, parse_chains(family, info, *bytes)};
  }
  throw Error(Code::try_again,
              fmt::format("table {} of iptables-legacy changes all the time", table));
}

const LegacyChain* LegacyTable::find(const std::string& name) const {
  const auto found = std::ranges::find(chains, name, &LegacyChain::name);
  return found == chains.end() ? nullptr : &*found;
}

bool legacy_has_chain(Family family, const char* table, const std::string& chain) {
  if (!has_legacy_table(family, table)) return false;
  const Question question(family, table);
  for (int tries = 0; tries < kTries; ++tries) {
    // Each chain starts with an entry that holds its name. Somebody's comment might hold it as
    // well: then the caller looks in vain, that is all.
    const auto bytes = question.entries(question.info());
    if (bytes) return bytes->find(chain) != std::string::npos;
  }
  return true;  // it changes all the time: let the caller look
}

}  // namespace unicni::net
