// "localnet": route_localnet on the link behind which the container is. All attachments behind that
// link share it, so it goes back to 0 with the last of them. An element of set `localnet` says
// which links have it and whether we switched it on.
#include "unicni/undo/localnet.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <vector>

#include "undo/idle_localnets.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "undo/shared_objects.h"
#include "unicni/net/sysctl.h"
#include "unicni/netfilter/iptables_ports.h"
#include "unicni/netfilter/published_port.h"

namespace unicni {

Undo undo_localnet(const std::string& link) { return Undo{"localnet", 1, false, {{"link", link}}}; }

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Versions up to 0.1 wrote no link into the record, and no element of who needs it.
bool is_former(const Undo& record) { return optional_field(record, "link").empty(); }

/// Whether ports are published that tell no link: by versions up to 0.1, or by the reference, which
/// relies on route_localnet just as we do.
bool are_others_publishing(HostKernel& host, std::ptrdiff_t own_former) {
  const auto localnets = host.attachments().list_records(kLocalnetKind.type, Steps::all);
  const auto former = std::count_if(localnets.begin(), localnets.end(),
                                    [](const auto& each) { return is_former(each.record); });
  if (former > own_former) return true;
  std::set<std::string> ours;
  for (const auto& [by, record] :
       host.attachments().list_records(kIptablesPortsKind.type, Steps::all)) {
    ours.insert(net::iptables_ports_chain(field(record, "network"), field(record, "container")));
  }
  return net::has_iptables_ports_besides(host.nft(), Family::v4, ours);
}

/// Under the lock that every ADD holds from its look at the sysctl until its element is in the set:
/// what is idle here stays idle until it is taken back.
void restore_idle(HostKernel& host, std::ptrdiff_t own_former) {
  const auto lock = hold_shared_objects(host);
  auto idle = net::list_localnets(host.nft());
  std::erase_if(idle, [&](const net::NftElement& element) {
    return net::is_localnet_used(host.nft(), net::interface_of_localnet(element));
  });
  if (idle.empty() || are_others_publishing(host, own_former)) return;
  for (const net::NftElement& element : idle) {
    // It was 1 before us and stays so.
    if (!net::is_localnet_by_us(element)) continue;
    net::ensure_sysctl("net/ipv4/conf/" + net::interface_of_localnet(element) + "/route_localnet",
                       "0", {.young = host.container_netns()});
  }
  host.nft().remove(idle);
}

Found find(const Undo& record, Undoing& undoing) {
  const auto localnets = net::list_localnets(undoing.host.nft());
  const bool is_there =
      std::any_of(localnets.begin(), localnets.end(), [&](const net::NftElement& element) {
        return net::interface_of_localnet(element) == optional_field(record, "link");
      });
  if (!is_there) return Found::absent;
  return net::is_localnet_used(undoing.host.nft(), field(record, "link")) ? Found::others
                                                                          : Found::ours;
}

void undo_one(const Undo& record, Undoing& undoing) {
  restore_idle(undoing.host, is_former(record) ? 1 : 0);
}

std::string describe(const Undo& record) {
  return fmt::format("route_localnet of {}", optional_field(record, "link"));
}

}  // namespace

const UndoKind kLocalnetKind = {"localnet", Turn::objects, &find, &each<undo_one>, &describe};

void restore_idle_localnets(HostKernel& host) {
  if (!net::list_localnets(host.nft()).empty()) restore_idle(host, 0);
}

}  // namespace unicni::undo
