#include "log.h"

#include <fmt/core.h>

#include <cstdio>
#include <exception>

namespace unicni::cnitool {

void Log::log(LogLevel level, std::string_view member, std::string_view text) noexcept {
  if (level == LogLevel::debug) return;
  try {
    const std::string line =
        member.empty() ? std::string(text) : fmt::format("{}: {}", member, text);
    if (level == LogLevel::info) {
      output_.say(line);
    } else {
      output_.warn(line);
    }
  } catch (const std::exception&) {
    std::fputs("cnitool: a line of the log was lost\n", stderr);
  }
}

void Log::pass_on(std::string_view bytes) noexcept {
  std::fwrite(bytes.data(), 1, bytes.size(), stderr);
}

}  // namespace unicni::cnitool
