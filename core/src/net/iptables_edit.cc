#include "net/iptables_edit.h"

#include <chrono>

#include "net/nft_transaction.h"
#include "unicni/error.h"
#include "unicni/sys/lock.h"

namespace unicni::net {
namespace {

constexpr int kTries = 3;  // of the same lines: then it isn't somebody else's change

}  // namespace

void edit_iptables(const IptablesTable& table, const std::string& doing, Deadline deadline,
                   const std::function<bool()>& is_there,
                   const std::function<std::string(const IptablesListing&)>& plan) {
  const Deadline give_up = sys::lock_deadline(deadline);
  std::string complaint;
  std::string refused;
  int same = 0;
  for (int tries = 0; same < kTries && std::chrono::steady_clock::now() < give_up; ++tries) {
    wait_before_nft_retry(tries);
    const std::string lines = plan(IptablesListing(
        is_there() ? save_table(table.family, table.flavour, table.name, deadline) : ""));
    if (lines.empty()) return;
    if (restore_table(table.family, table.flavour, table.name, lines, deadline, complaint)) return;
    same = lines == refused ? same + 1 : 1;
    refused = lines;
  }
  throw Error(Code::internal, doing, complaint);
}

}  // namespace unicni::net
