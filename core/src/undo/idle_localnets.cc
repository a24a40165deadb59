#include "undo/idle_localnets.h"

#include <algorithm>
#include <set>
#include <string>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "undo/shared_objects.h"
#include "unicni/net/sysctl.h"
#include "unicni/netfilter/iptables_ports.h"
#include "unicni/netfilter/localnet.h"
#include "unicni/netfilter/published_port.h"
#include "unicni/undo/localnet.h"

namespace unicni::undo {

bool is_former_localnet(const Undo& record) { return optional_field(record, "link").empty(); }

namespace {

/// Whether ports are published that tell no link: by versions up to 0.1, or by the reference, which
/// relies on route_localnet just as we do.
bool are_others_publishing(HostKernel& host, const std::vector<Attachments::Announced>& localnets,
                           std::ptrdiff_t own_former) {
  const auto former = std::count_if(localnets.begin(), localnets.end(), [](const auto& each) {
    return is_former_localnet(each.record);
  });
  if (former > own_former) return true;
  std::set<std::string> ours;
  for (const auto& [by, record] :
       host.attachments().list_records(kIptablesPortsKind.type, Steps::all)) {
    ours.insert(net::iptables_ports_chain(field(record, "network"), field(record, "container")));
  }
  return net::has_iptables_ports_besides(host.nft(), Family::v4, ours);
}

/// Elements of set local4 say the same, but somebody may have flushed it. It was asked before, so
/// an attachment that a verb is at is one that leaves as well: of two last ones each would find the
/// other's record. An ADD has its element by now or makes both things later, as it holds the
/// shared objects from its record to its element.
bool is_needed_by_others(HostKernel& host, const std::string& link, const std::string& own_owner,
                         const std::vector<Attachments::Announced>& localnets) {
  return std::any_of(localnets.begin(), localnets.end(), [&](const auto& each) {
    return optional_field(each.record, "link") == link && each.by.comment() != own_owner &&
           each.by.owner() != own_owner && !host.attachments().is_at_work(each.by);
  });
}

}  // namespace

void restore_idle_localnets(HostKernel& host, const OwnLocalnet& own) {
  const auto lock = hold_shared_objects(host);
  auto idle = net::list_localnets(host.nft());
  if (own.lost) idle.push_back(*own.lost);
  std::erase_if(idle, [&](const net::NftElement& element) {
    return net::is_localnet_used(host.nft(), net::interface_of_localnet(element));
  });
  if (!idle.empty()) {
    const auto records = host.attachments().list_records(kLocalnetKind.type, Steps::all);
    std::erase_if(idle, [&](const net::NftElement& element) {
      return is_needed_by_others(host, net::interface_of_localnet(element), own.owner, records);
    });
    if (!idle.empty() && are_others_publishing(host, records, own.former)) idle.clear();
  }
  if (own.lost && std::find(idle.begin(), idle.end(), *own.lost) == idle.end()) {
    host.nft().add({}, {*own.lost});
  }
  for (const net::NftElement& element : idle) {
    if (!net::is_localnet_by_us(element)) continue;
    net::ensure_sysctl("net/ipv4/conf/" + net::interface_of_localnet(element) + "/route_localnet",
                       "0", {.young = host.container_netns()});
  }
  if (!idle.empty()) host.nft().remove(idle);
}

}  // namespace unicni::undo

namespace unicni {

void restore_idle_localnets(HostKernel& host) {
  if (!net::list_localnets(host.nft()).empty()) undo::restore_idle_localnets(host, {});
}

}  // namespace unicni
