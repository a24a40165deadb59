#include "undo/iptables_records.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "undo/record_fields.h"

namespace unicni::undo {

/// iptables waits for its lock file. A verb that undoes things has no deadline of its own to take.
Deadline iptables_deadline() {
  constexpr std::chrono::seconds kPatience{10};
  return std::chrono::steady_clock::now() + kPatience;
}

std::vector<IpAddress> addresses_of(const Undo& record) {
  std::vector<IpAddress> addresses;
  std::string_view rest = field(record, "addresses");
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    const auto address = IpAddress::parse(word.substr(0, word.find('/')));
    if (!address) refuse_field(record, "addresses");
    addresses.push_back(*address);
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return addresses;
}

}  // namespace unicni::undo
