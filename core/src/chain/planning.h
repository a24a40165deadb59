// The members of a request: of its list, of the chain that it names, or the one plugin that it is
// for.
#pragma once

#include <string>
#include <vector>

#include "chain/member.h"
#include "chain/request.h"
#include "chain/verb_host.h"
#include "settings/settings.h"

namespace unicni::chain {

struct Plan {
  std::vector<Member> members;  ///< none: the chain isn't known (DEL, CHECK, GC)
                                ///< or the list is none (DEL, GC)
  bool direct = true;           ///< our own name on disk decides, not CNI_PATH
  std::string chain = {};       ///< the chain whose plugins they are; "": none
  /// The chain says that the verb does nothing: "disableCheck", "disableGC".
  bool is_disabled = false;
};

/// Called under the name of a plugin, that is the only member. Under the name `unicni` the
/// configuration decides: a list in "plugins", a chain, or the plugin that "type" names. ADD and
/// STATUS take a chain as its file is now; the other verbs as it was compiled last.
Plan plan(const Request& request, const settings::Settings& settings, VerbHost& host);

/// CHECK: members as the journal has them, if policies or a chain made them, and those that have
/// left a list since.
void recall(Plan& plan, const Request& request, VerbHost& host);

}  // namespace unicni::chain
