// "nft" is an element of this attachment, "nft-network" one that the attachments of a network or of
// a link share. Both are remembered, so that a flushed table can be made again.
#include "unicni/undo/nft.h"

#include <fmt/core.h>

#include "undo/kinds.h"
#include "undo/nft_elements.h"
#include "undo/record_fields.h"
#include "unicni/errors.h"

namespace unicni {

namespace {

Undo nft_record(const char* type, const net::NftElement& element) {
  Undo record{type,
              1,
              false,
              {{"set", element.set},
               {"key", element.key},
               {"key_end", element.key_end},
               {"owner", element.owner}}};
  if (element.table == net::NftTable::bridge) record.fields.emplace_back("family", "bridge");
  if (!element.data.empty()) record.fields.emplace_back("data", element.data);
  return record;
}

}  // namespace

Undo undo_nft(const net::NftElement& element) { return nft_record("nft", element); }

Undo remember_nft(const net::NftElement& element) { return nft_record("nft-network", element); }

}  // namespace unicni

namespace unicni::undo {
namespace {

Found find(const Undo& record, Undoing& undoing) {
  const net::NftElement element = element_of(record);
  const auto found = undoing.host.nft().find(element.set, element.key, element.table);
  if (!found) return Found::absent;
  return found->owner == element.owner ? Found::ours : Found::others;
}

/// What the network shares goes with its last attachment, by the transaction that removes that
/// one's elements (netfilter/nft/idle.h).
void leave(const std::vector<Undo>&, Undoing&) {}

/// All elements of the step in one transaction, as each costs the kernel a commit, and a commit of
/// deletions a grace period.
void undo_all(const std::vector<Undo>&, Undoing& undoing) {
  Errors errors;
  const auto elements = find_own_elements(undoing.step, errors);
  if (!elements.empty()) errors.attempt([&] { undoing.host.nft().remove(elements); });
  errors.finish();
}

std::string describe(const Undo& record) {
  return fmt::format("element {} of nftables set {}", field(record, "key"), field(record, "set"));
}

}  // namespace

const UndoKind kNftKind = {"nft", Turn::elements, &find, &undo_all, &describe};
const UndoKind kNftNetworkKind = {"nft-network", Turn::objects, &find, &leave, &describe};

}  // namespace unicni::undo
