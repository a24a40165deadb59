#include "unicni/netfilter/port_place.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "netfilter/nft/describe.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/set.h"

namespace unicni::net {
namespace {

// What a claim is for: its data. In the kernel since the first release, so they stay.
constexpr std::uint32_t kAny = 0;
constexpr std::uint32_t kSingle = 1;
constexpr std::size_t kNumber = 8;  // protocol and port, which end the key of a host's port

/// Type "mark", in the host's byte order.
/// A map's data has a type, and "mark" is the only one that is a plain number.
std::string mark_data(std::uint32_t mark) {
  std::string bytes(sizeof mark, '\0');
  std::memcpy(bytes.data(), &mark, sizeof mark);
  return bytes;
}

/// What an element says of a port of the host.
enum class Says : std::uint8_t {
  nothing,
  leads_from_one,  ///< address of the host, by DNAT or to a condition
  leads_from_any,
  leads_next,  ///< where such a condition leads
  claims,
};
Says what_says(const NftElement& element) {
  const auto row = find_nft_set(element);
  if (!row) return Says::nothing;
  switch (row->kind) {
    case NftSetKind::port_at:
    case NftSetKind::cond_at:
      return Says::leads_from_one;
    case NftSetKind::port_any:
    case NftSetKind::cond_any:
      return Says::leads_from_any;
    case NftSetKind::cport_at:
    case NftSetKind::cport_any:
      return Says::leads_next;
    case NftSetKind::claim:
      return Says::claims;
    default:
      return Says::nothing;
  }
}

std::optional<NftElement> find_in(Nft& nft, NftSetKind kind, Family family,
                                  const std::string& key) {
  return nft.find(nft_set(kind, family).name.c_str(), key);
}

/// A key of another length is of a damaged journal.
bool leads_from_one(const NftElement& element) {
  return what_says(element) == Says::leads_from_one && element.key.size() >= kNumber;
}

std::string number_of(const NftElement& element) {
  return element.key.substr(element.key.size() - kNumber);
}

/// Numbers of ports at single addresses of the host that stay when elements go. Whole maps are
/// read, as the kernel finds nothing by the end of a key; once for all that go.
class SinglePorts {
 public:
  SinglePorts(Nft& nft, Family family, const std::set<NftElementContent>& going) {
    for (const NftSetKind kind : {NftSetKind::port_at, NftSetKind::cond_at}) {
      for (const NftElement& element : nft.list(nft_set(kind, family).name.c_str())) {
        const bool stays = leads_from_one(element) && !going.contains(content_of(element));
        if (stays) numbers_.insert(number_of(element));
      }
    }
  }
  [[nodiscard]] bool contains(const std::string& number) const { return numbers_.contains(number); }

 private:
  std::set<std::string> numbers_;
};

}  // namespace

/// One claim for each family, protocol and port. It is what makes the kernel refuse a second owner:
/// the two maps of a port (any address, one address) alone would take both.
NftElement claim_element(const PortPlace& place, const std::string& owner) {
  const NftSetRow& set = nft_set(NftSetKind::claim, place.family);
  return {set.name.c_str(), place.number, {},
          nft_owner(owner), set.table,    mark_data(place.address.empty() ? kAny : kSingle)};
}

bool is_claim(const NftElement& element) { return what_says(element) == Says::claims; }

bool claims_single_addresses(const NftElement& element) {
  return is_claim(element) && element.data == mark_data(kSingle);
}

bool is_claim_of(const NftElement& claim, const PortPlace& place) {
  return is_claim(claim) && claim.key == place.number && family_of(claim) == place.family;
}

bool is_about_host_port(const NftElement& element) { return what_says(element) != Says::nothing; }

std::optional<PortPlace> find_place(const NftElement& element) {
  // Shorter than any key of ours: of a damaged journal.
  if (!is_about_host_port(element) || element.key.size() < kNumber) return std::nullopt;
  if (claims_single_addresses(element)) return std::nullopt;
  const std::size_t address = element.key.size() - kNumber;
  return PortPlace{family_of(element), element.key.substr(address), element.key.substr(0, address)};
}

/// "Any address" includes each single one.
bool overlap(const PortPlace& one, const PortPlace& other) {
  return one.family == other.family && one.number == other.number &&
         (one.address.empty() || other.address.empty() || one.address == other.address);
}

/// A claim for any address has one holder. One for single addresses is shared, and the holder of an
/// address is found by that address.
std::vector<NftElement> find_port_holders(Nft& nft, const PortPlace& place) {
  const auto claim = find_in(nft, NftSetKind::claim, place.family, place.number);
  if (!claim) return {};
  if (!claims_single_addresses(*claim)) return {*claim};
  if (place.address.empty()) return find_single_ports(nft, *claim);
  std::vector<NftElement> found;
  for (const NftSetKind kind : {NftSetKind::port_at, NftSetKind::cond_at}) {
    auto element = find_in(nft, kind, place.family, place.address + place.number);
    if (element) found.push_back(*std::move(element));
  }
  return found;
}

std::vector<NftElement> elements_of_holder(Nft& nft, const NftElement& holder) {
  std::vector<NftElement> found{holder};
  if (is_claim(holder)) {
    for (NftElement& each : find_any_port(nft, holder)) found.push_back(std::move(each));
  } else if (is_nft_condition(holder)) {
    auto behind = find_in(nft, NftSetKind::cport_at, family_of(holder), holder.key);
    if (behind && behind->owner == holder.owner) found.push_back(*std::move(behind));
  }
  return found;
}

std::vector<NftElement> find_idle_claims(Nft& nft, const std::vector<NftElement>& elements) {
  std::set<NftElementContent> going;
  for (const NftElement& element : elements) going.insert(content_of(element));
  std::map<Family, SinglePorts> staying;
  std::set<std::pair<Family, std::string>> seen;
  std::vector<NftElement> idle;
  for (const NftElement& element : elements) {
    if (!leads_from_one(element)) continue;
    const Family family = family_of(element);
    const std::string number = number_of(element);
    if (!seen.emplace(family, number).second) continue;
    auto claim = find_in(nft, NftSetKind::claim, family, number);
    if (!claim || !claims_single_addresses(*claim) || going.contains(content_of(*claim))) continue;
    if (!staying.contains(family)) staying.emplace(family, SinglePorts(nft, family, going));
    if (!staying.at(family).contains(number)) idle.push_back(*std::move(claim));
  }
  return idle;
}

std::vector<NftElement> find_any_port(Nft& nft, const NftElement& claim) {
  std::vector<NftElement> found;
  for (const NftSetKind kind :
       {NftSetKind::port_any, NftSetKind::cond_any, NftSetKind::cport_any}) {
    auto element = find_in(nft, kind, family_of(claim), claim.key);
    if (element && element->owner == claim.owner) found.push_back(*std::move(element));
  }
  return found;
}

std::vector<NftElement> find_single_ports(Nft& nft, const NftElement& claim) {
  std::vector<NftElement> found;
  for (const NftSetKind kind : {NftSetKind::port_at, NftSetKind::cond_at}) {
    const NftSetRow& set = nft_set(kind, family_of(claim));
    for (NftElement& element : nft.list(set.name.c_str())) {
      if (element.key.ends_with(claim.key)) found.push_back(std::move(element));
    }
  }
  return found;
}

/// A port with a condition and one without stand in different maps, so the kernel would take both.
std::optional<NftElement> find_rival(Nft& nft, const NftElement& element) {
  if (!leads_from_one(element)) return std::nullopt;
  return find_in(nft, is_nft_condition(element) ? NftSetKind::port_at : NftSetKind::cond_at,
                 family_of(element), element.key);
}

Error port_is_taken(const NftElement& holder, const std::string& wanting) {
  return {Code::internal, fmt::format("{} belongs to \"{}\"", describe_key(holder), holder.owner),
          fmt::format("{} wants it; end the other attachment with DEL, or run GC if it is gone "
                      "already",
                      wanting)};
}

}  // namespace unicni::net
