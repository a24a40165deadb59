// What is told beside the result: lines of the log.
#pragma once

#include <string_view>

namespace unicni {

/// How much a line of the log matters.
enum class LogLevel : unsigned char { debug, info, warning, error };

/// Where core's lines go; owned by the program around core, which may have verbs on several
/// threads: both methods may be called by all of them at once. Core itself writes nothing to
/// stdout and stderr.
class LogSink {
 public:
  virtual ~LogSink();
  /// One line without its end; `member` is the type that was at work, "bridge".
  virtual void log(LogLevel level, std::string_view member, std::string_view text) noexcept = 0;
  /// What a program that a verb runs writes to its stderr, in pieces as they come. Must not block
  /// for long: the verb waits meanwhile.
  virtual void pass_on(std::string_view bytes) noexcept = 0;
};

}  // namespace unicni
