// The log of a plugin: lines on stderr.
#pragma once

#include "unicni/log.h"

namespace unicni::exec {

/// "unicni bridge: warning: <text>". stderr is a courtesy: a runtime that closed it, or doesn't
/// read, loses text and nothing else.
class StandardError final : public LogSink {
 public:
  void log(LogLevel level, std::string_view member, std::string_view text) noexcept override;
  void pass_on(std::string_view bytes) noexcept override;
};

}  // namespace unicni::exec
