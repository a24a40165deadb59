// What a runtime makes of a list for one verb: whether plugins are called at all, and what each
// reads (spec section 3 "Deriving request configuration", REQ-01 to REQ-06, PREV, GC-01, GC-02).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "protocol/netconf.h"
#include "protocol/network_list.h"
#include "protocol/version.h"
#include "unicni/call.h"
#include "unicni/valid_attachments.h"

namespace unicni::protocol {

/// What a verb on a list amounts to.
enum class Extent : unsigned char {
  whole,
  without_plugins,  ///< GC before 1.1.0: the runtime still deletes stale attachments itself
  nothing           ///< success, and nothing is done
};
/// Error(incompatible_version): CHECK before 0.4.0, ADD and CHECK at a version that we don't know,
/// DEL at a text that is none (CHK-01, CONF-08, DEL-14). disableCheck, disableGC and STATUS before
/// 1.1.0 are Extent::nothing (CONF-10, CONF-11, STAT-03); for CHECK the version comes first.
Extent extent_of(const NetworkList& list, Command command);

/// Which result a member gets as prevResult.
enum class PrevResult : unsigned char {
  none,
  of_member_before,  ///< ADD: what the plugin before answered
  of_attachment      ///< CHECK and DEL: the final result of ADD, in the list's version
};
/// Lists before 0.4.0 have none on DEL (ADD-05, CHK-05, DEL-07, DEL-08, REQ-05). A list at a
/// version that we don't know has none either, there is nothing to convert a result to.
PrevResult prev_result_of(const NetworkList& list, Command command, std::size_t ordinal);

struct RequestParts {
  /// Of ADD, CHECK and DEL: a JSON object's text with everything that the application offers. Each
  /// member gets of it what its capabilities name. "": nothing is offered.
  std::string capability_args = {};
  /// Of GC: what is still valid, perhaps nothing; written under both keys. nullopt: no keys, and no
  /// plugin removes anything.
  std::optional<ValidAttachments> valid_attachments = {};
};
/// The list as a configuration of type "unicni", as the executable reads it: its members() are the
/// plugins' requests, which with_prev_result() and text_for() complete. Parts that aren't the
/// verb's are left out. Error(decode) for capability_args that are no JSON object.
Netconf make_list_request(const NetworkList& list, Command command, const RequestParts& parts);

}  // namespace unicni::protocol
