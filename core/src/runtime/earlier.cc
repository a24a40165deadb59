#include "runtime/earlier.h"

#include <fmt/core.h>

#include <algorithm>

#include "chain/member.h"
#include "journal/folder.h"
#include "unicni/error.h"
#include "unicni/folders.h"
#include "unicni/net/link.h"
#include "unicni/net/netlink.h"
#include "unicni/net/netns.h"

namespace unicni::runtime {
namespace {

bool has_interface(const ListCall& call) {
  const net::Netns home = net::Netns::current();
  try {
    const auto netns = net::Netns::open(call.netns);
    if (!netns) return false;
    net::Netlink links(*netns, home);
    return net::find_link(links, call.key.if_name).has_value();
  } catch (const Error&) {
    if (!home.is_current()) throw;
    return false;
  }
}

}  // namespace

std::string find_earlier(const ListCall& call) {
  const auto entry = journal::peek(Folders().journals(), call.key);
  if (entry && std::any_of(entry->steps.begin(), entry->steps.end(), chain::is_answer)) {
    return "the attachment " + call.key.owner();
  }
  if (!has_interface(call)) return {};
  return fmt::format("{} in {}", call.key.if_name, call.netns);
}

}  // namespace unicni::runtime
