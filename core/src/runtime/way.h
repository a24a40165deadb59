// How the members of a list are run.
#pragma once

#include "runtime/list_call.h"
#include "unicni/error.h"
#include "unicni/runtime.h"

namespace unicni::runtime {

enum class Way : unsigned char {
  in_process,
  by_members,  ///< a process each
  /// One process of our executable has the list as its request, of type `unicni`. It applies the
  /// host's policies to all members, and writes down what they made of the list.
  as_list,
};

/// ADD and STATUS go by whether there are policies now, CHECK and DEL by what the attachment's ADD
/// wrote down, whatever the policies are since; GC by either. A list that has a list inside is
/// always run by members; with policies an ADD of one that also has a program of another maker
/// beside it is refused (policy_violated), as nothing would rule that. What counts are the
/// executable's own folders, as it knows no others. Error(policy_unreadable) if there are policies
/// and no executable that could apply them.
Way find_way(const ListCall& call, Isolation isolation);

/// Policy refuses the ADD, or can't be read. Then the executable that says so has done nothing, or
/// has undone it.
bool is_refusal(const Error& error);

/// Whether the attachment's journal has been written by a list.
bool is_attached_as_list(const AttachmentKey& key);

}  // namespace unicni::runtime
