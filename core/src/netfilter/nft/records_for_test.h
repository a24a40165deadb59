// What attachments have in the ruleset, as a test says it.
#pragma once

#include <string>
#include <vector>

#include "unicni/netfilter/nft.h"

namespace unicni::net {

struct FakeRecords final : NftRecords {
  NftMemory memory;
  std::vector<std::vector<NftElement>> others;  ///< whoever is asked about
  std::vector<std::string> asked;               ///< owners whose siblings were wanted

  NftMemory remembered() override { return memory; }
  std::vector<std::vector<NftElement>> siblings(const std::string& owner) override {
    asked.push_back(owner);
    return others;
  }
};

}  // namespace unicni::net
