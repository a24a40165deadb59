#include "unicni/net/rule.h"

#include <fmt/core.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

std::uint8_t family_of(Family family) { return family == Family::v4 ? AF_INET : AF_INET6; }

std::string describe(const Rule& rule) {
  return fmt::format("rule from {} lookup {}", rule.from.str(), rule.table);
}

/// Without a priority: the kernel takes the number before that of the first rule behind local, so a
/// later rule comes before an earlier one.
void put_rule(nl_msg* message, const Rule& rule) {
  auto& header = put_header<fib_rule_hdr>(message);
  header.family = family_of(rule.from.family());
  header.src_len = static_cast<std::uint8_t>(rule.from.prefix_length());
  header.action = FR_ACT_TO_TBL;
  // One byte; the kernel reads FRA_TABLE first.
  header.table = static_cast<std::uint8_t>(rule.table < 256 ? rule.table : 0);
  if (rule.from.prefix_length() != 0) put_address(message, FRA_SRC, rule.from.network());
  put_u32(message, FRA_TABLE, rule.table);
}

}  // namespace

void add_rule(Batch& batch, const Rule& rule) {
  put_rule(batch.add(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, "add " + describe(rule)), rule);
}

void remove_rule(Batch& batch, const Rule& rule) {
  put_rule(batch.add(RTM_DELRULE, 0, "delete " + describe(rule), {ENOENT, ESRCH}), rule);
}

/// Rules that do something else than a look-up (blackhole, goto) lead to no table and are not
/// listed.
std::vector<Rule> list_rules(Netlink& netlink, Family family) {
  SingleRequest request(RTM_GETRULE, NLM_F_DUMP);
  put_header<fib_rule_hdr>(request).family = family_of(family);
  std::vector<Rule> rules;
  const int error = netlink.ask(request, [&](const nlmsghdr* message) {
    const auto& header = family_header<fib_rule_hdr>(message);
    if (header.action != FR_ACT_TO_TBL || header.family != family_of(family)) return;
    Rule rule;
    rule.table = header.table;
    IpAddress source = family == Family::v4 ? IpAddress::v4(0) : IpAddress::v6({});
    for_each_attribute(message, sizeof header, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == FRA_SRC) source = address_of(attribute);
      if (type == FRA_TABLE) rule.table = value_of<std::uint32_t>(attribute);
    });
    rule.from = IpNet(source, header.src_len);
    rules.push_back(rule);
  });
  if (error != 0) {
    throw system_error(error, "list rules").advise("the kernel needs CONFIG_IP_MULTIPLE_TABLES");
  }
  return rules;
}

}  // namespace unicni::net
