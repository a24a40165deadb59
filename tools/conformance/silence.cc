#include "conformance/silence.h"

#include <sstream>

namespace unicni::conformance {

std::string silence_of(const probe::Output& output, std::chrono::milliseconds limit) {
  if (output.hung) return "no answer within " + in_seconds(limit) + ", so it was killed";
  return output.flooded ? "it printed without end and was killed" : "";
}

std::string command_of(const probe::Spawn& spawn) {
  constexpr std::string_view kKey = "CNI_COMMAND=";
  for (const std::string& variable : spawn.env) {
    if (variable.starts_with(kKey)) return variable.substr(kKey.size());
  }
  return "the call without CNI_COMMAND";
}

std::string in_seconds(std::chrono::milliseconds time) {
  std::ostringstream text;
  text << static_cast<double>(time.count()) / 1000 << " s";
  return text.str();
}

}  // namespace unicni::conformance
