// What an ADD finds of an earlier one of its attachment.
#pragma once

#include <string>

#include "runtime/list_call.h"

namespace unicni::runtime {

/// What stands already, for messages: "the attachment net/c1/eth0" that a journal of ours knows,
/// wherever its namespace is, or "eth0 in /run/netns/c1", whoever made it. "": nothing, or the
/// namespace can't be looked into. The cache isn't asked: its entry may be lost, and who calls
/// plugins without a library makes none.
std::string find_earlier(const ListCall& call);

}  // namespace unicni::runtime
