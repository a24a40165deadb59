// "nft-condition": the chain that holds conditionsV4 or conditionsV6 of an attachment. Its name is
// unique to the attachment, so being there means being ours.
#include "unicni/undo/nft_condition.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include "netfilter/nft/base.h"
#include "netfilter/nft/query.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"

namespace unicni {

Undo undo_nft_condition(const net::NftCondition& condition) {
  return Undo{"nft-condition",
              1,
              false,
              {{"family", condition.family == Family::v4 ? "4" : "6"},
               {"chain", condition.chain},
               {"text", condition.text},
               {"owner", condition.owner}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

net::NftCondition condition_of(const Undo& record) {
  return {get_family(record), field(record, "chain"), field(record, "text"),
          field(record, "owner")};
}

Found find(const Undo& record, Undoing& undoing) {
  const std::string& chain = field(record, "chain");
  const auto found =
      net::find_chains(undoing.host.nft().socket(), {{NFPROTO_INET, net::kNftTable, chain}});
  return found[0] ? Found::ours : Found::absent;
}

void undo_one(const Undo& record, Undoing& undoing) {
  undoing.host.nft().remove_condition(condition_of(record));
}

std::string describe(const Undo& record) {
  return fmt::format("nftables chain {} with the condition {}", field(record, "chain"),
                     field(record, "text"));
}

}  // namespace

const UndoKind kNftConditionKind = {"nft-condition", Turn::objects, &find, &each<undo_one>,
                                    &describe};

}  // namespace unicni::undo
