// What plugins and the runtime say meanwhile, on stderr.
#pragma once

#include <string_view>

#include "app/output.h"
#include "unicni/log.h"

namespace unicni::cnitool {

class Log final : public LogSink {
 public:
  explicit Log(const app::Output& output) : output_(output) {}
  void log(LogLevel level, std::string_view member, std::string_view text) noexcept override;
  /// As it is: it is the plugin's own.
  void pass_on(std::string_view bytes) noexcept override;

 private:
  const app::Output& output_;
};

}  // namespace unicni::cnitool
