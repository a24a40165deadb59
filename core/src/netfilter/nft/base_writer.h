// Writes the static part of one of our tables as one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netfilter/nft/batch.h"
#include "netfilter/nft/owned.h"
#include "netfilter/nft/rule.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// Type of a key's field as nft(8) numbers it (its src/datatype.h); nft can't list a set without.
struct NftKeyField {
  std::uint32_t nft_type;
  std::uint32_t byte_order;  ///< BYTEORDER_* of nft(8)
  std::uint8_t size;
};
namespace nft_key {
inline constexpr NftKeyField kIp4{7, 2, 4};
inline constexpr NftKeyField kIp6{8, 2, 16};
inline constexpr NftKeyField kMac{9, 2, 6};
inline constexpr NftKeyField kL4Protocol{12, 2, 1};
inline constexpr NftKeyField kPort{13, 2, 2};
inline constexpr NftKeyField kMark{19, 1, 4};
inline constexpr NftKeyField kInterface{41, 1, 16};
}  // namespace nft_key

class NftBaseWriter {
 public:
  enum class Mode {
    create,   ///< fails with EEXIST for message 0 if the table is there
    mend,     ///< adds what is missing and writes the rules of all chains anew; elements stay
    replace,  ///< deletes the table, which is there, and makes it anew
  };
  /// `generation`: see NftBatch.
  NftBaseWriter(NftTable table, Mode mode, const char* comment,
                std::optional<std::uint32_t> generation = std::nullopt);

  void set(const char* name, const std::vector<NftKeyField>& key, const char* comment = "");

  /// A hash map from key to data.
  void map(const char* name, const std::vector<NftKeyField>& key,
           const std::vector<NftKeyField>& data, const char* comment = "");
  /// A hash map from key to a chain to go to.
  void verdict_map(const char* name, const std::vector<NftKeyField>& key, const char* comment = "");

  /// Chains first, then the rules that go to them.
  void chain(const char* name);
  /// `type` is "nat" or "filter"; the policy is accept.
  void base_chain(const char* name, const char* type, std::uint32_t hook, std::int32_t priority);
  void rule(const NftRule& rule);

  NftBatch& batch() { return batch_; }

 private:
  enum class Data { none, fields, verdict };
  void put_set(const char* name, const std::vector<NftKeyField>& key, Data what,
               const std::vector<NftKeyField>& data, const char* comment);
  NftOwned<nftnl_chain> new_chain(const char* name) const;
  void put_chain(nftnl_chain& chain, const char* name);
  nl_msg* add(std::uint16_t type, std::uint16_t flags);

  std::uint8_t family_;
  Mode mode_;
  NftBatch batch_;
  std::uint32_t last_set_id_ = 0;
};

}  // namespace unicni::net
