// Whether what a journal tells of still exists.
#pragma once

#include "journal/entry.h"
#include "unicni/net/namespaces.h"

namespace unicni::attachments {

/// Where and when this host's state exists now, as its journals' headers have it.
journal::Place place_of(net::Namespaces& namespaces);

enum class Life : unsigned char { alive, gone, unknown };

/// Of the container's namespace that a step's ADD saw: gone if its path leads nowhere or to another
/// one. Unknown where the path can't be followed, or nobody wrote down which namespace it was.
Life life_of(const journal::RecordedStep& step, const net::Netns& host_netns);

/// Of an attachment: what its latest step says; gone also if the entry is of another boot or host.
Life life_of(const journal::Entry& entry, const journal::Place& place,
             const net::Netns& host_netns);

/// Whether the folder that held the path of a namespace is one that we see: a runtime in a mount
/// namespace of its own has its paths where we have nothing. Those of processes belong to a process
/// namespace, and end with one of several processes. That such a path leads nowhere proves nothing.
bool would_be_seen(const std::string& netns_path);

/// Whether all that a journal tells of is in namespaces that are gone. A path that only its runtime
/// sees (another mount or process namespace) is no proof.
bool are_namespaces_gone(const journal::Entry& entry, const journal::Place& place,
                         const net::Netns& host_netns);

}  // namespace unicni::attachments
