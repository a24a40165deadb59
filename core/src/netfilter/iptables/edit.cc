#include "netfilter/iptables/edit.h"

#include <chrono>
#include <cstdint>

#include "netfilter/nft/transaction.h"
#include "unicni/error.h"
#include "unicni/sys/lock.h"

namespace unicni::net {
namespace {

// Of the same lines while nothing changed: then it isn't a foreign program's doing. A change of
// iptables-legacy doesn't count as one, but makes other lines most times.
constexpr int kTriesInPeace = 3;
constexpr int kTries = 30;

}  // namespace

void edit_iptables(const IptablesTable& table, const std::string& doing, Deadline deadline,
                   const std::function<bool()>& is_there,
                   const std::function<std::string(const IptablesListing&)>& plan) {
  const Services& services = table.nft.services();
  const Deadline give_up = sys::lock_deadline(deadline);
  std::string complaint;
  std::string refused;
  int same = 0;
  for (int tries = 0; same < kTriesInPeace && tries < kTries; ++tries) {
    if (tries > 0 && std::chrono::steady_clock::now() > give_up) break;
    wait_before_nft_retry(tries);
    const std::uint32_t before = nft_generation(table.nft);
    const std::string lines = plan(IptablesListing(
        is_there() ? save_table(services, table.family, table.flavour, table.name, deadline) : ""));
    if (lines.empty()) return;
    if (restore_table(services, table.family, table.flavour, table.name, lines, deadline,
                      complaint)) {
      return;
    }
    const bool in_peace = lines == refused && nft_generation(table.nft) == before;
    same = in_peace ? same + 1 : 1;
    refused = lines;
  }
  throw Error(Code::internal, doing, complaint);
}

}  // namespace unicni::net
