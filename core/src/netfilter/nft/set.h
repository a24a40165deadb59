// The sets and maps of our tables as data, a row each. A row makes the set, tells what the bytes of
// its elements' keys say, whose they are, and which part of the base they need. Nobody reads a
// set's name: who has one looks up its row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "unicni/ip.h"
#include "unicni/netfilter/element.h"

namespace unicni::net {

/// What a set is for, whatever its family. Each is in the file of its part (part.h), where its
/// elements are made.
enum class NftSetKind : std::uint8_t {
  // published_port.cc
  localnet_if,
  local,
  pub,
  masqall,
  port_at,
  port_any,
  claim,
  nosnat,
  // condition.cc
  cond_at,
  cond_any,
  cport_at,
  cport_any,
  // mark_bit.cc
  bit,
  // ingress_policy.cc
  policy_if,
  policy,
  isolated,
  // forwarding.cc
  net_if,
  att,
  // spoof_check.cc
  port_checked,
  port_mac,
  // One set for each length of a prefix (prefix_part.h): masquerade.cc, published_port.cc,
  // mark_bit.cc.
  masquerade,
  hairpin,
  hairpin_bit,
};

/// What stands at a place of a key or of a map's data. Each takes whole words of 4 bytes.
enum class NftSetField : std::uint8_t {
  none,
  interface,    ///< its name, IFNAMSIZ bytes
  ip,           ///< an address of the set's family
  l4_protocol,  ///< IPPROTO_*, one byte
  port,         ///< two bytes in network order
  mac,
  mark,   ///< in the host's order
  chain,  ///< of a map's data: a verdict, which isn't bytes but "goto <chain>"
};

/// A field as the kernel and nft(8) see it. The kernel knows sizes only; nft can't list a set
/// without the type (its src/datatype.h), which we store where it does.
struct NftFieldForm {
  std::uint32_t nft_type;
  std::uint32_t byte_order;  ///< BYTEORDER_* of nft(8)
  std::uint8_t size;
  [[nodiscard]] constexpr std::size_t padded_size() const { return (size + 3U) / 4U * 4U; }
};
constexpr NftFieldForm form_of(NftSetField field, Family family) {
  switch (field) {
    case NftSetField::interface:
      return {41, 1, 16};
    case NftSetField::ip:
      return family == Family::v4 ? NftFieldForm{7, 2, 4} : NftFieldForm{8, 2, 16};
    case NftSetField::l4_protocol:
      return {12, 2, 1};
    case NftSetField::port:
      return {13, 2, 2};
    case NftSetField::mac:
      return {9, 2, 6};
    case NftSetField::mark:
      return {19, 1, 4};
    case NftSetField::chain:
    case NftSetField::none:
      break;
  }
  return {0, 0, 0};
}

/// A name that a row holds itself, as those of prefix lengths are made when somebody asks.
class NftSetName {
 public:
  constexpr NftSetName(std::string_view name)  // NOLINT(google-explicit-constructor): of a table
      : size_(static_cast<std::uint8_t>(name.size())) {
    for (std::size_t i = 0; i < name.size(); ++i) text_.at(i) = name[i];
  }
  constexpr NftSetName(const char* name)  // NOLINT(google-explicit-constructor): of a table
      : NftSetName(std::string_view(name)) {}
  [[nodiscard]] constexpr std::string_view view() const { return {text_.data(), size_}; }
  [[nodiscard]] constexpr const char* c_str() const { return text_.data(); }

 private:
  static constexpr std::size_t kLongest = 14;  // "hairpin6_128" has 12
  std::array<char, kLongest + 1> text_{};
  std::uint8_t size_;
};

/// Whose the elements of a set are: what their comment names.
enum class NftSetOwner : std::uint8_t {
  attachment,
  network,  ///< no attachment's: who looks for one's elements needn't read the set
  either,   ///< each element as it was made
};

struct NftSetRow {
  NftSetKind kind;
  NftSetName name;
  NftTable table;
  std::optional<Family> family;  ///< of the packets that it is about; nullopt: any
  std::array<NftSetField, 4> key;
  std::array<NftSetField, 2> data;  ///< of a map; {}: it is a set
  NftSetOwner owner;
  /// What `nft list` prints with it. Part of what a base of this version is: it stays as it is.
  const char* comment;
  /// Of a network's set of interfaces: its elements go with the last element of this kind that
  /// begins with the same interface. Else its own kind, and nothing keeps it.
  NftSetKind kept_by = kind;
  int prefix = -1;  ///< the length of the prefix that it is for; negative: it is for none

  /// Of addresses in it; IPv4 where it knows none.
  [[nodiscard]] constexpr Family address_family() const { return family.value_or(Family::v4); }
  [[nodiscard]] constexpr bool is_map() const { return data[0] != NftSetField::none; }
  [[nodiscard]] constexpr bool leads_to_chains() const { return data[0] == NftSetField::chain; }
  /// How many bytes a key has.
  [[nodiscard]] constexpr std::size_t key_size() const {
    std::size_t size = 0;
    for (const NftSetField field : key) size += form_of(field, address_family()).padded_size();
    return size;
  }
};

/// The row of the set with exactly this name; nullopt: this version has no such set. 0.1 us.
std::optional<NftSetRow> find_nft_set(NftTable table, std::string_view name);
/// The row of an element's set.
inline std::optional<NftSetRow> find_nft_set(const NftElement& element) {
  return find_nft_set(element.table, element.set);
}
/// All rows but those for prefix lengths.
std::span<const NftSetRow> nft_sets();
/// The rows of a kind that isn't for prefix lengths: one, or one a family.
std::span<const NftSetRow> nft_sets(NftSetKind kind);
/// Of these the one of that family, or the one that knows no families. There is one.
const NftSetRow& nft_set(NftSetKind kind, Family family = Family::v4);
/// The row of a kind that is for prefix lengths, 0 to 32 or 128.
NftSetRow nft_set(NftSetKind kind, Family family, int prefix);

}  // namespace unicni::net
