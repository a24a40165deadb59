// ADD: steps forward, each with its undo log; roll-back backward.
#pragma once

#include <memory>
#include <vector>

#include "chain/request.h"
#include "chain/step.h"
#include "chain/verb_host.h"

namespace unicni::chain {

/// Runs ADD of all steps and emits the last result. On any failure (also of emitting) everything
/// that was done is undone, last step first, and the Error is thrown on; what could not be undone
/// stays in the journal for DEL or GC.
void attach(const Request& request, VerbHost& host, std::vector<std::unique_ptr<Step>>& steps,
            Caller& caller);

}  // namespace unicni::chain
