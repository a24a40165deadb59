// GC: attachments of one network that are valid no more.
#pragma once

#include <memory>
#include <vector>

#include "chain/request.h"
#include "chain/step.h"
#include "chain/verb_host.h"

namespace unicni::chain {

/// Undoes what the journal knows of attachments outside of the list, then lets each step's module
/// (or program) collect what it finds itself. Goes on past errors; throws the first at the end,
/// with the number of the others.
void collect(const Request& request, VerbHost& host, std::vector<std::unique_ptr<Step>>& steps,
             const Watch& watch);

}  // namespace unicni::chain
