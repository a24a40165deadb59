#include "netfilter/nft/set.h"

#include <algorithm>
#include <iterator>

namespace unicni::net {
namespace {

using Kind = NftSetKind;
using Field = NftSetField;
using Owner = NftSetOwner;

constexpr NftTable kInet = NftTable::inet;
constexpr NftTable kBridge = NftTable::bridge;
constexpr auto kV4 = Family::v4;
constexpr auto kV6 = Family::v6;
constexpr std::optional<Family> kAny;

using Key = std::array<Field, 4>;
using Data = std::array<Field, 2>;
// The forms of keys and data.
// Unused places are Field{}, which ends the key.
constexpr Key kInterface{Field::interface};
constexpr Key kBehindInterface{Field::interface, Field::ip};
constexpr Key kNumber{Field::l4_protocol, Field::port};
constexpr Key kEndpoint{Field::ip, Field::l4_protocol, Field::port};
constexpr Key kOfSubnet{Field::ip, Field::ip};
constexpr Key kEndpointOfSubnet{Field::ip, Field::l4_protocol, Field::port, Field::ip};
constexpr Key kPortAndMac{Field::interface, Field::mac};
constexpr Data kNone{};
constexpr Data kTarget{Field::ip, Field::port};
constexpr Data kMark{Field::mark};
constexpr Data kChain{Field::chain};

constexpr const char* kOnlyOne = "published at one address";
constexpr const char* kAtAny = "published at any address";
constexpr const char* kConditionAtOne = "at one address, on a condition";
constexpr const char* kConditionAtAny = "at any address, on a condition";
constexpr const char* kWhere = "where it leads";
constexpr const char* kClaims = "0 = any address, 1 = single addresses";
constexpr const char* kPublished = "published ports of containers";
constexpr const char* kPolicies = "ingressPolicy same-bridge or isolated";
constexpr const char* kBehind = "host side interface . container address";
constexpr const char* kSubnets = "container to masquerade . its subnet";
constexpr const char* kHairpins = "published port . the container's subnet";
constexpr const char* kHairpinBits = "markMasqBit: port . the container's subnet";
constexpr const char* kRouteLocalnet = "interfaces on which route_localnet was set";

// The rows of a kind stand together.
// Names, fields and comments are in kernels that run: a change is another version of the base
// (base.cc), which replaces tables on living hosts.
constexpr NftSetRow kRows[] = {
    {Kind::localnet_if, "localnet_if", kInet, kAny, kInterface, kNone, Owner::network,
     kRouteLocalnet},
    {Kind::local, "local4", kInet, kV4, kBehindInterface, kNone, Owner::attachment,
     "who needs route_localnet there"},
    {Kind::pub, "pub4", kInet, kV4, kEndpoint, kNone, Owner::attachment, kPublished},
    {Kind::pub, "pub6", kInet, kV6, kEndpoint, kNone, Owner::attachment, kPublished},
    {Kind::masqall, "masqall4", kInet, kV4, kEndpoint, kNone, Owner::attachment, "masqAll: true"},
    {Kind::masqall, "masqall6", kInet, kV6, kEndpoint, kNone, Owner::attachment, "masqAll: true"},
    {Kind::port_at, "port4_at", kInet, kV4, kEndpoint, kTarget, Owner::attachment, kOnlyOne},
    {Kind::port_at, "port6_at", kInet, kV6, kEndpoint, kTarget, Owner::attachment, kOnlyOne},
    {Kind::port_any, "port4_any", kInet, kV4, kNumber, kTarget, Owner::attachment, kAtAny},
    {Kind::port_any, "port6_any", kInet, kV6, kNumber, kTarget, Owner::attachment, kAtAny},
    {Kind::claim, "claim4", kInet, kV4, kNumber, kMark, Owner::either, kClaims},
    {Kind::claim, "claim6", kInet, kV6, kNumber, kMark, Owner::either, kClaims},
    {Kind::nosnat, "nosnat4", kInet, kV4, kEndpoint, kNone, Owner::attachment, "snat: false"},
    {Kind::nosnat, "nosnat6", kInet, kV6, kEndpoint, kNone, Owner::attachment, "snat: false"},
    {Kind::cond_at, "cond4_at", kInet, kV4, kEndpoint, kChain, Owner::attachment, kConditionAtOne},
    {Kind::cond_at, "cond6_at", kInet, kV6, kEndpoint, kChain, Owner::attachment, kConditionAtOne},
    {Kind::cond_any, "cond4_any", kInet, kV4, kNumber, kChain, Owner::attachment, kConditionAtAny},
    {Kind::cond_any, "cond6_any", kInet, kV6, kNumber, kChain, Owner::attachment, kConditionAtAny},
    {Kind::cport_at, "cport4_at", kInet, kV4, kEndpoint, kTarget, Owner::attachment, kWhere},
    {Kind::cport_at, "cport6_at", kInet, kV6, kEndpoint, kTarget, Owner::attachment, kWhere},
    {Kind::cport_any, "cport4_any", kInet, kV4, kNumber, kTarget, Owner::attachment, kWhere},
    {Kind::cport_any, "cport6_any", kInet, kV6, kNumber, kTarget, Owner::attachment, kWhere},
    {Kind::bit, "bit4", kInet, kV4, kEndpoint, kChain, Owner::attachment, "markMasqBit"},
    {Kind::bit, "bit6", kInet, kV6, kEndpoint, kChain, Owner::attachment, "markMasqBit"},
    {Kind::policy_if, "policy_if", kInet, kAny, kInterface, kNone, Owner::network,
     "bridges with an ingressPolicy", Kind::policy},
    {Kind::policy, "policy4", kInet, kV4, kBehindInterface, kNone, Owner::attachment, kPolicies},
    {Kind::policy, "policy6", kInet, kV6, kBehindInterface, kNone, Owner::attachment, kPolicies},
    {Kind::isolated, "isolated4", kInet, kV4, kBehindInterface, kNone, Owner::attachment,
     "ingressPolicy isolated"},
    {Kind::isolated, "isolated6", kInet, kV6, kBehindInterface, kNone, Owner::attachment,
     "ingressPolicy isolated"},
    {Kind::net_if, "net_if", kInet, kAny, kInterface, kNone, Owner::network,
     "bridges and ptp host ends of our attachments", Kind::att},
    {Kind::att, "att4", kInet, kV4, kBehindInterface, kNone, Owner::attachment, kBehind},
    {Kind::att, "att6", kInet, kV6, kBehindInterface, kNone, Owner::attachment, kBehind},
    {Kind::port_checked, "port_checked", kBridge, kAny, kInterface, kNone, Owner::attachment,
     "ports whose senders are checked"},
    {Kind::port_mac, "port_mac", kBridge, kAny, kPortAndMac, kNone, Owner::attachment,
     "port . MAC that it may send from"},
};

/// A row without the number that ends its name; made_of() makes the row of each length.
constexpr NftSetRow kGenerators[] = {
    {Kind::masquerade, "masq4_", kInet, kV4, kOfSubnet, kNone, Owner::attachment, kSubnets},
    {Kind::masquerade, "masq6_", kInet, kV6, kOfSubnet, kNone, Owner::attachment, kSubnets},
    {Kind::hairpin, "hairpin4_", kInet, kV4, kEndpointOfSubnet, kNone, Owner::attachment,
     kHairpins},
    {Kind::hairpin, "hairpin6_", kInet, kV6, kEndpointOfSubnet, kNone, Owner::attachment,
     kHairpins},
    {Kind::hairpin_bit, "bit4_", kInet, kV4, kEndpointOfSubnet, kChain, Owner::attachment,
     kHairpinBits},
    {Kind::hairpin_bit, "bit6_", kInet, kV6, kEndpointOfSubnet, kChain, Owner::attachment,
     kHairpinBits},
};

constexpr int longest_prefix(Family family) { return family == Family::v4 ? 32 : 128; }

/// At compile time and without an allocation, as all names are looked through on each look-up.
constexpr NftSetName numbered(std::string_view stem, int number) {
  std::array<char, 16> text{};
  std::size_t size = 0;
  for (const char c : stem) text.at(size++) = c;
  for (int unit = number < 10 ? 1 : number < 100 ? 10 : 100; unit > 0; unit /= 10) {
    text.at(size++) = static_cast<char>('0' + number / unit % 10);
  }
  return std::string_view(text.data(), size);
}

NftSetRow made_of(const NftSetRow& generator, int prefix) {
  NftSetRow row = generator;
  row.name = numbered(generator.name.view(), prefix);
  row.prefix = prefix;
  return row;
}

/// A number's text as one word to compare; 0: no number of ours is as long, or as short.
constexpr std::uint32_t word_of(std::string_view text) {
  std::uint32_t word = 0;
  if (text.size() > 3) return word;
  for (const char c : text) word = word << 8U | static_cast<std::uint8_t>(c);
  return word;
}

/// Of all lengths, so that a look-up makes none of their names.
constexpr auto kNumbers = [] {
  std::array<std::uint32_t, longest_prefix(Family::v6) + 1> words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words.at(i) = word_of(numbered({}, static_cast<int>(i)).view());
  }
  return words;
}();

/// The number that numbered() has put behind the stem; nullopt: none that is a prefix length.
std::optional<int> find_number(std::string_view behind_stem, Family family) {
  const std::uint32_t wanted = word_of(behind_stem);
  for (int number = 0; number <= longest_prefix(family); ++number) {
    if (kNumbers[static_cast<std::size_t>(number)] == wanted) return number;
  }
  return std::nullopt;
}

}  // namespace

std::optional<NftSetRow> find_nft_set(NftTable table, std::string_view name) {
  if (name.size() > NftSetName::kLongest) return std::nullopt;
  const auto* row = std::ranges::find_if(kRows, [&, wanted = NftSetName(name)](const auto& each) {
    return each.name == wanted && each.table == table;
  });
  if (row != std::end(kRows)) return *row;
  for (const NftSetRow& generator : kGenerators) {
    // Stem and number are each compared as a whole.
    const std::string_view stem = generator.name.view();
    if (generator.table != table || name.substr(0, stem.size()) != stem) continue;
    const auto prefix = find_number(name.substr(stem.size()), generator.address_family());
    if (prefix) return made_of(generator, *prefix);
  }
  return std::nullopt;
}

std::span<const NftSetRow> nft_sets() { return kRows; }

std::span<const NftSetRow> nft_sets(NftSetKind kind) {
  const auto* first = std::ranges::lower_bound(kRows, kind, {}, &NftSetRow::kind);
  const auto* behind = std::ranges::upper_bound(kRows, kind, {}, &NftSetRow::kind);
  return {first, behind};
}

/// Where a kind has two rows, that of IPv4 comes first.
const NftSetRow& nft_set(NftSetKind kind, Family family) {
  const auto rows = nft_sets(kind);
  return rows.size() > 1 && family == Family::v6 ? rows[1] : rows[0];
}

NftSetRow nft_set(NftSetKind kind, Family family, int prefix) {
  const auto* generator = std::ranges::find_if(kGenerators, [&](const NftSetRow& each) {
    return each.kind == kind && each.family == family;
  });
  return made_of(*generator, prefix);
}

// What nft_sets() and nft_set() build on.
static_assert(std::ranges::is_sorted(kRows, {}, &NftSetRow::kind));

}  // namespace unicni::net
