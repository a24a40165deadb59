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
             Caller& caller);

/// STATUS: undoes what the journals have of attachments of any network whose namespace is surely
/// gone: nobody may ever call their DEL. A part of the entries each time, so that it costs a
/// millisecond or two however many there are. Never throws.
void collect_some_gone(const Request& request, VerbHost& host) noexcept;

}  // namespace unicni::chain
