#include "netfilter/nft/former.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include "netfilter/nft/element.h"
#include "netfilter/nft/prefix_part.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net {
namespace {

bool is_pair(const NftElement& element) { return element.set == "net4" || element.set == "net6"; }

std::size_t size_of(const NftElement& element) { return family_of(element) == Family::v4 ? 4 : 16; }

std::optional<IpAddress> address_at(const NftElement& element) {
  const std::size_t size = size_of(element);
  if (element.key.size() < size) return std::nullopt;
  return address_from_key(std::string_view(element.key).substr(0, size));
}

/// Of "first . first" to "last . last".
std::optional<IpNet> subnet_of(const NftElement& pair) {
  const std::size_t size = size_of(pair);
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
IpNet within(const IpAddress& address, const std::vector<IpNet>& subnets) {
  const IpNet* own = nullptr;
  for (const IpNet& subnet : subnets) {
    const bool smaller = own == nullptr || subnet.prefix_length() > own->prefix_length();
    if (subnet.contains(address) && smaller) own = &subnet;
  }
  return {address, own != nullptr ? own->prefix_length() : address.bits()};
}

}  // namespace

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
  const auto is_there = [&](std::string_view set, const std::string& key) {
    return std::ranges::any_of(of_step, [&](const NftElement& element) {
      return element.set == set && element.key == key;
    });
  };
  for (const NftElement& element : of_step) {
    const auto address = is_pair(element) ? std::nullopt : address_at(element);
    const auto is_in = [&](const char* v4, const char* v6) {
      return address && (element.set == v4 || element.set == v6);
    };
    if (is_in("masq4", "masq6")) {
      put(masquerade_element(within(*address, subnets), element.owner));
    } else if (!is_pair(element)) {
      put(element);
    }
    const bool v4 = address && address->is_v4();
    const bool is_near = is_in("pub4", "pub6") &&
                         !is_there(v4 ? "nosnat4" : "nosnat6", element.key) &&
                         !is_there(v4 ? "masqall4" : "masqall6", element.key);
    if (is_near || is_in("bit4", "bit6")) {
      put(hairpin_element(element, within(*address, subnets)));
    }
  }
  return now;
}

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
