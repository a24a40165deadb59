// "localnet": route_localnet on the link behind which the container is. All attachments behind that
// link share it, so it goes back to 0 with the last of them. An element of set `localnet` says
// which links have it and whether we switched it on.
#include "unicni/undo/localnet.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/idle_localnets.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/netfilter/published_port.h"

namespace unicni {

Undo undo_localnet(const std::string& link) { return Undo{"localnet", 1, false, {{"link", link}}}; }

}  // namespace unicni

namespace unicni::undo {
namespace {

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
  restore_idle_localnets(undoing.host, is_former_localnet(record) ? 1 : 0);
}

std::string describe(const Undo& record) {
  return fmt::format("route_localnet of {}", optional_field(record, "link"));
}

}  // namespace

const UndoKind kLocalnetKind = {"localnet", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
