// Results as JSON: every spec version, every conversion both ways (RES and CONV).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "protocol/version.h"
#include "unicni/result.h"

namespace unicni::protocol {

/// The result in the layout of `version`, 4-space indent, no newline at the end, key order of the
/// reference. Error(invalid_config) "cannot convert …" if 0.1.0 or 0.2.0 is asked and there is no
/// address (CONV-09).
std::string print_result(const Result& result, SpecVersion version);
/// The same on one line: what goes into a request as prevResult.
std::string print_compact_result(const Result& result, SpecVersion version);
/// Whether print_result() could ever succeed for a layer-2 result: false below 0.3.0. Asked before
/// acting.
bool can_express_without_ips(SpecVersion version);

/// What is left of a result when it goes over the wire at `version`: parse_result(print_result(r,
/// v), v) without JSON. A step in the same process must see no more than one in a process of its
/// own. Throws as print_result() does. From 0.3.0 on interfaces lose mtu, socketPath and pciID
/// below 1.0.0 and routes lose nothing (CONV-06, CONV-07); below 0.3.0 the first address of each
/// family stays, with those routes whose dst is of its family (CONV-08).
Result narrowed(Result result, SpecVersion version);

/// A result document. Its "cniVersion" decides the layout; absent, empty or no string, `fallback`
/// does, which is the configuration's version. Unknown keys are kept (`extra`) if the document has
/// the layout of `fallback` and that is one of 0.3.0 or later. Error(decode) for anything that is
/// no result: unknown version, address without prefix, null in a list, negative numbers, an "ips"
/// entry whose "version" isn't that of its address (RES-08 to RES-14, CONV-14). null
/// is an empty result (ERR-07). Key matching as find_field() in document.h.
Result parse_result(std::string_view text, SpecVersion fallback);
/// The same of a parsed document; another name because a string would convert to a tree as well.
Result read_result(const nlohmann::ordered_json& json, SpecVersion fallback);
/// Interfaces that have the name `if_name` as far as JSON can tell get it: bytes that are no UTF-8
/// are U+FFFD there.
void restore_name(Result& result, const std::string& if_name);

}  // namespace unicni::protocol
