#include "net/iptables_edit.h"

#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr int kTries = 3;  // each fails only if the table was changed meanwhile

}  // namespace

void edit_iptables(const IptablesTable& table, const std::string& doing, Deadline deadline,
                   const std::function<bool()>& is_there,
                   const std::function<std::string(const IptablesListing&)>& plan) {
  std::string complaint;
  for (int tries = 0; tries < kTries; ++tries) {
    const std::string lines = plan(IptablesListing(
        is_there() ? save_table(table.family, table.flavour, table.name, deadline) : ""));
    if (lines.empty()) return;
    if (restore_table(table.family, table.flavour, table.name, lines, deadline, complaint)) return;
  }
  throw Error(Code::internal, doing, complaint);
}

}  // namespace unicni::net
