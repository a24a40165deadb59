// A plugin of the list that a request is for, and the steps of the journal that are its own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "journal/entry.h"
#include "journal/journal.h"
#include "module/registry.h"
#include "protocol/netconf.h"

namespace unicni::chain {

struct Member {
  std::string type;
  protocol::Netconf netconf;
  /// Its place in a list (type "unicni"); nullopt: the runtime calls each plugin alone.
  std::optional<std::size_t> ordinal = {};
  journal::Origin origin = {};  ///< where `netconf` comes from, if it isn't as the request has it
  std::string delegate = {};    ///< RecordedStep::delegate, if `netconf` is the journal's
};

/// Whether a step was written for the member of this type, place and configuration: what its ADD
/// was asked for, not what policies made of it.
bool is_step_of(const journal::RecordedStep& step, const std::string& type,
                std::optional<std::size_t> ordinal, const protocol::Netconf& netconf);

/// Whether a program did the work of `type`, the step's own or its IPAM's.
bool is_of_program(const journal::RecordedStep& step, const std::string& type);

/// Whether the step was written under this type, or under another name of the same module of ours,
/// as links to the executable have them ("cnv-bridge").
bool is_of_type(const journal::RecordedStep& step, const std::string& type,
                const module::Locations& where);

/// Whose each step of an entry is.
struct Assignment {
  std::vector<std::vector<std::size_t>> of_members;  ///< ids, oldest first; one list a member
  std::vector<std::size_t> left;                     ///< of no member, oldest first
};

/// Gives each step to one member at most: to the one of its type whose place and configuration are
/// equal, then to one whose configuration is, then to one in its place, then the last step of a
/// type to whom has none, then one of another name for it. The same member may have several steps,
/// if an ADD was interrupted.
Assignment assign(const journal::Entry& entry, const std::vector<Member>& members,
                  const module::Locations& where);

/// The journal's result of a step that isn't its list's last: there is more to come, and printing
/// each would be a tenth of a list's time that isn't the kernel's.
inline constexpr const char* kEnded = "{}";
/// Whether the ADD of which this is a step gave its answer: a list that failed or was killed
/// between two steps has none.
bool is_answer(const journal::RecordedStep& step);

/// Whether its records say that the step made the container's interface.
bool makes_interface(const journal::RecordedStep& step);

}  // namespace unicni::chain
