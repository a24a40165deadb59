#include "netfilter/nft/former.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include "netfilter/nft/element.h"
#include "netfilter/nft/prefix_part.h"
#include "netfilter/nft/set.h"
#include "unicni/netfilter/masquerade.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net {
namespace {

/// The sets of base 1 that this one has no rows for.
struct FormerSet {
  std::string_view name;
  enum class Holds : std::uint8_t { pairs, sources } holds;
  Family family;
};
constexpr FormerSet kFormerSets[] = {{"net4", FormerSet::Holds::pairs, Family::v4},
                                     {"net6", FormerSet::Holds::pairs, Family::v6},
                                     {"masq4", FormerSet::Holds::sources, Family::v4},
                                     {"masq6", FormerSet::Holds::sources, Family::v6}};

const FormerSet* find_former(const NftElement& element) {
  const auto* found = std::ranges::find(kFormerSets, element.set, &FormerSet::name);
  return found == std::end(kFormerSets) ? nullptr : found;
}

/// "net4": subnets as intervals "first . first" to "last . last", by which base 1 knew what stays
/// inside.
bool is_pair(const NftElement& element) {
  const FormerSet* set = find_former(element);
  return set != nullptr && set->holds == FormerSet::Holds::pairs;
}

/// "masq4": addresses to masquerade. Their subnets were in the other set, so both are needed to
/// make an element of today.
bool is_source(const NftElement& element) {
  const FormerSet* set = find_former(element);
  return set != nullptr && set->holds == FormerSet::Holds::sources;
}

bool is_of(NftSetKind kind, const NftElement& element) {
  const auto row = find_nft_set(element);
  return row && row->kind == kind;
}

std::size_t address_size(const NftElement& element) {
  const FormerSet* former = find_former(element);
  const Family family = former != nullptr ? former->family : family_of(element);
  return form_of(NftSetField::ip, family).size;
}

/// The address that a key begins with; nullopt: it is too short, of a damaged journal.
std::optional<IpAddress> address_at(const NftElement& element) {
  const std::size_t size = address_size(element);
  if (element.key.size() < size) return std::nullopt;
  return address_from_key(std::string_view(element.key).substr(0, size));
}

/// Of "first . first" to "last . last".
std::optional<IpNet> subnet_of(const NftElement& pair) {
  const std::size_t size = address_size(pair);
  const auto first = address_at(pair);
  if (!first || pair.key_end.size() < size) return std::nullopt;
  int prefix = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto differ = static_cast<std::uint8_t>(pair.key[i] ^ pair.key_end[i]);
    prefix += std::countl_zero(differ);
    if (differ != 0) break;
  }
  return IpNet(*first, prefix);
}

/// `address` with the prefix of the smallest subnet that holds it.
/// An address in no subnet masquerades by itself alone.
IpNet within(const IpAddress& address, const std::vector<IpNet>& subnets) {
  const IpNet* own = nullptr;
  for (const IpNet& subnet : subnets) {
    const bool smaller = own == nullptr || subnet.prefix_length() > own->prefix_length();
    if (subnet.contains(address) && smaller) own = &subnet;
  }
  return {address, own != nullptr ? own->prefix_length() : address.bits()};
}

}  // namespace

/// Step by step of one journal, as an attachment's subnets are those of its own elements. A step
/// without such a pair is of today's base and stays as it is.
std::vector<NftElement> from_former_base(const std::vector<NftElement>& of_step) {
  std::vector<IpNet> subnets;
  for (const NftElement& element : of_step) {
    const auto subnet = is_pair(element) ? subnet_of(element) : std::nullopt;
    if (subnet) subnets.push_back(*subnet);
  }
  if (subnets.empty()) return of_step;
  std::vector<NftElement> now;
  const auto put = [&](NftElement element) {
    if (std::ranges::find(now, element) == now.end()) now.push_back(std::move(element));
  };
  const auto is_there = [&](NftSetKind kind, const NftElement& about) {
    return std::ranges::any_of(of_step, [&](const NftElement& element) {
      return is_of(kind, element) && element.key == about.key &&
             family_of(element) == family_of(about);
    });
  };
  for (const NftElement& element : of_step) {
    if (is_pair(element)) continue;
    const auto address = address_at(element);
    if (address && is_source(element)) {
      put(masquerade_element(within(*address, subnets), element.owner));
    } else {
      put(element);
    }
    // Who never gets the host's address, or always, has no element about a subnet
    // (port_elements()).
    const bool is_near = is_of(NftSetKind::pub, element) &&
                         !is_there(NftSetKind::nosnat, element) &&
                         !is_there(NftSetKind::masqall, element);
    if (address && (is_near || is_of(NftSetKind::bit, element))) {
      put(hairpin_element(element, within(*address, subnets)));
    }
  }
  return now;
}

/// The other way round, to find an element in a table that hasn't been replaced yet.
std::optional<NftElement> in_former_base(const NftElement& element) {
  const auto part = find_nft_prefix_part(element.set);
  if (!part) return element;
  if (part->use != NftPrefixPart::Use::masquerade) return std::nullopt;
  NftElement former = element;
  former.set = part->family == Family::v4 ? "masq4" : "masq6";
  former.key.resize(former.key.size() / 2);
  return former;
}

}  // namespace unicni::net
