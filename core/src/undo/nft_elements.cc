// From undo records to elements and conditions of nftables: for undoing, and for making a flushed
// table again.
#include "undo/nft_elements.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "netfilter/nft/element.h"
#include "netfilter/nft/former.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/error.h"

namespace unicni::undo {

/// Family, and data, came with later versions: absent they are what all elements were before.
net::NftElement element_of(const Undo& record) {
  const bool bridge = optional_field(record, "family") == "bridge";
  return {field(record, "set"),
          field(record, "key"),
          field(record, "key_end"),
          field(record, "owner"),
          bridge ? net::NftTable::bridge : net::NftTable::inet,
          std::string(optional_field(record, "data"))};
}

/// In the form that they have today: a base of an older version had other sets, whose elements the
/// present ones stand for.
std::vector<net::NftElement> find_elements(const std::vector<Undo>& records) {
  std::vector<net::NftElement> elements;
  for (const Undo& record : records) {
    const UndoKind* kind = find_kind(record);
    if (kind != &kNftKind && kind != &kNftNetworkKind) continue;
    try {
      elements.push_back(element_of(record));
    } catch (const Error&) {  // damaged: nothing to restore from
    }
  }
  return net::from_former_base(elements);
}

/// Records of an older version name its sets. What has become of them is removed along with what
/// the records say literally.
std::vector<net::NftElement> find_own_elements(const std::vector<Undo>& step, Errors& damaged) {
  std::vector<net::NftElement> elements;
  for (const Undo& record : step) {
    if (find_kind(record) != &kNftKind) continue;
    damaged.attempt([&] { elements.push_back(element_of(record)); });
  }
  // Thousands of published ports are elements of one step.
  std::set<std::string_view> owners;
  std::set<net::NftElementContent> known;
  for (const net::NftElement& element : elements) {
    owners.insert(element.owner);
    known.insert(net::content_of(element));
  }
  std::vector<net::NftElement> become;
  for (net::NftElement& element : find_elements(step)) {
    if (!owners.contains(element.owner) || known.contains(net::content_of(element))) continue;
    become.push_back(std::move(element));
  }
  std::move(become.begin(), become.end(), std::back_inserter(elements));
  return elements;
}

std::optional<net::NftCondition> find_condition(const Undo& record) {
  if (find_kind(record) != &kNftConditionKind) return std::nullopt;
  try {
    return net::NftCondition{get_family(record), field(record, "chain"), field(record, "text"),
                             field(record, "owner")};
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace unicni::undo
