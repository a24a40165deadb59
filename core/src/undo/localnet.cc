// "localnet": route_localnet on the link behind which the container is. All attachments behind that
// link share it, so it goes back to 0 with the last of them. An element of set `localnet` says
// which links have it and whether we switched it on.
#include "unicni/undo/localnet.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/idle_localnets.h"
#include "undo/kinds.h"
#include "undo/nft_elements.h"
#include "undo/record_fields.h"
#include "unicni/netfilter/localnet.h"
#include "unicni/netfilter/published_port.h"

namespace unicni {

Undo undo_localnet(const std::string& link) { return Undo{"localnet", 1, false, {{"link", link}}}; }

/// Who comes second finds the sysctl set, and says so in an element of its own if that of the first
/// was lost: so one that says it was us is enough.
std::optional<bool> is_localnet_by_us(Attachments& attachments, const std::string& link) {
  std::optional<bool> by_us;
  for (const auto& [by, record] :
       attachments.list_records(undo::kNftNetworkKind.type, Steps::all)) {
    for (const net::NftElement& element : undo::find_elements({record})) {
      if (!net::is_localnet(element) || net::interface_of_localnet(element) != link) continue;
      by_us = by_us.value_or(false) || net::is_localnet_by_us(element);
    }
  }
  return by_us;
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// The element that ADD put in, if somebody has taken it out since (`nft flush set`). With it went
/// what closes 127.0.0.0/8, and the sign that the sysctl is ours.
std::optional<net::NftElement> find_lost(const Undo& record, Undoing& undoing) {
  const std::string link(optional_field(record, "link"));
  if (link.empty() || net::find_localnet(undoing.host.nft(), link)) return std::nullopt;
  for (net::NftElement& element : find_elements(undoing.step)) {
    const bool is_it = net::is_localnet(element) && net::interface_of_localnet(element) == link;
    if (is_it) return std::move(element);
  }
  return std::nullopt;
}

Found find(const Undo& record, Undoing& undoing) {
  const auto localnets = net::list_localnets(undoing.host.nft());
  const bool is_there =
      std::any_of(localnets.begin(), localnets.end(), [&](const net::NftElement& element) {
        return net::interface_of_localnet(element) == optional_field(record, "link");
      });
  if (!is_there && !find_lost(record, undoing)) return Found::absent;
  return net::is_localnet_used(undoing.host.nft(), field(record, "link")) ? Found::others
                                                                          : Found::ours;
}

void undo_one(const Undo& record, Undoing& undoing) {
  OwnLocalnet own;
  own.former = is_former_localnet(record) ? 1 : 0;
  own.lost = find_lost(record, undoing);
  Errors damaged;
  const auto elements = find_own_elements(undoing.step, damaged);
  if (!elements.empty()) own.owner = elements.front().owner;
  restore_idle_localnets(undoing.host, own);
}

std::string describe(const Undo& record) {
  return fmt::format("route_localnet of {}", optional_field(record, "link"));
}

}  // namespace

const UndoKind kLocalnetKind = {"localnet", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
