// What is to be known besides an error's message, one thing after another.
#pragma once

#include <string_view>

#include "unicni/error.h"

namespace unicni {

/// Appends to the error's details, behind "; " if there are any.
void add_details(Error& error, std::string_view text);

}  // namespace unicni
