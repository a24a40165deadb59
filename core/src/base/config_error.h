// Errors of a configuration, told from those of a host.
#pragma once

#include "unicni/error.h"

namespace unicni {

/// Whether no other host, and no other CNI_ARGS, would make right what is wrong.
inline bool is_of_config(const Error& error) {
  return error.is(Code::invalid_config) || error.is(Code::unsupported_field) ||
         error.is(Code::decode) || error.is(Code::incompatible_version);
}

}  // namespace unicni
