// DEL: with whatever is left, steps backward, on past errors.
#pragma once

#include "chain/planning.h"
#include "chain/request.h"
#include "chain/step.h"
#include "chain/verb_host.h"

namespace unicni::chain {

/// Undoes all members, last first: the journal's records, then what the module finds by the
/// configuration. The configuration is the one of ADD, if the journal knows it and the namespace is
/// the same, else the request's. Steps of the journal that are no member's any more go as well: in
/// their place of a list, or before the plugin that made the interface, the last that a runtime
/// calls. Throws the first Error after all are done, the others in its details.
/// Of a chain the journal alone decides, if it knows the attachment: the file may be another one
/// since ADD, or gone.
void detach(const Request& request, VerbHost& host, const Plan& plan, Caller& caller);

}  // namespace unicni::chain
