// How much a line of the log matters.
#pragma once

namespace unicni {

enum class LogLevel : unsigned char { debug, info, warning, error };

}  // namespace unicni
