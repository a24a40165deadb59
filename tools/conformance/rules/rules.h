// The tables of checks, one a file, by the prefix of their requirements.
#pragma once

#include <span>

#include "conformance/check.h"

namespace unicni::conformance {

std::span<const Check> answer_rules();       ///< kAnswerId (silence.h)
std::span<const Check> version_rules();      ///< VERN
std::span<const Check> request_rules();      ///< CONF, EXEC, REQ
std::span<const Check> argument_rules();     ///< ARGS
std::span<const Check> error_rules();        ///< OUT, ERR
std::span<const Check> result_rules();       ///< RES, DNS
std::span<const Check> add_rules();          ///< ADD
std::span<const Check> prev_result_rules();  ///< PREV
std::span<const Check> del_rules();          ///< DEL
std::span<const Check> check_rules();        ///< CHK
std::span<const Check> gc_rules();           ///< GC
std::span<const Check> status_rules();       ///< STAT
std::span<const Check> delegate_rules();     ///< DLG, and what other verbs owe a delegate
std::span<const Check> ipam_rules();         ///< IPAM
std::span<const Check> conversion_rules();   ///< CONV

}  // namespace unicni::conformance
