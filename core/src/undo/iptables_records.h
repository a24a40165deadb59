// What records about rules of iptables have in common.
#pragma once

#include <string>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/undo.h"

namespace unicni::undo {

/// Programs of iptables wait for its lock; so long they may, whatever is left of the verb's time:
/// rules that stay lead to the next owner of the address.
Deadline iptables_deadline();
/// Field "addresses", each with a prefix length or without. Throws Error.
std::vector<IpAddress> addresses_of(const Undo& record);
/// The text of that field.
template <class Address>
std::string listed(const std::vector<Address>& addresses) {
  std::string text;
  for (const Address& address : addresses) text += (text.empty() ? "" : " ") + address.str();
  return text;
}

}  // namespace unicni::undo
