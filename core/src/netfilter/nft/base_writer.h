// Writes the static part of one of our tables as one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netfilter/nft/batch.h"
#include "netfilter/nft/owned.h"
#include "netfilter/nft/rule.h"
#include "netfilter/nft/set.h"
#include "unicni/folders.h"

namespace unicni::net {

class NftBaseWriter {
 public:
  enum class Mode {
    create,   ///< fails with EEXIST for message 0 if the table is there
    mend,     ///< adds what is missing and writes the rules of all chains anew; elements stay
    replace,  ///< deletes the table, which is there, and makes it anew
  };
  /// `folders`: with the administrator's choices. `generation`: see NftBatch.
  NftBaseWriter(NftTable table, Mode mode, const char* comment, const Folders& folders,
                std::optional<std::uint32_t> generation = std::nullopt);

  void set(const NftSetRow& row);

  /// Chains first, then the rules that go to them.
  void chain(const char* name);
  /// `type` is "nat" or "filter"; the policy is accept.
  void base_chain(const char* name, const char* type, std::uint32_t hook, std::int32_t priority);
  void rule(const NftRule& rule);

  NftBatch& batch() { return batch_; }
  [[nodiscard]] const Folders& folders() const { return folders_; }

 private:
  NftOwned<nftnl_chain> new_chain(const char* name) const;
  void put_chain(nftnl_chain& chain, const char* name);
  nl_msg* add(std::uint16_t type, std::uint16_t flags);

  std::uint8_t family_;
  Mode mode_;
  Folders folders_;
  NftBatch batch_;
  std::uint32_t last_set_id_ = 0;
};

}  // namespace unicni::net
