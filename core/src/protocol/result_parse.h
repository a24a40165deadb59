// Results from JSON: every spec version (RES, CONV).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "protocol/version.h"
#include "unicni/result.h"

namespace unicni::protocol {

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
