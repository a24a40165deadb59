// What is wrong in a file, as a linter lists it.
#pragma once

#include <string>
#include <string_view>

#include "document/node.h"

namespace unicni::document {

enum class FindingKind : unsigned char {
  wrong_value,  ///< no plugin would take it
  missing_key,  ///< a key that its plugin needs; a runtime or a policy may bring it yet
  unknown_key,  ///< nobody reads it
  letter_case,  ///< read, or passed over, because of its letter case
  never_holds,  ///< a pattern or a limit of a policy that no call can match or break
};

struct Finding {
  FindingKind kind;
  Position position;
  std::string text;     ///< begins with the key's path: plugins[1].ipam.type
  std::string details;  ///< what is allowed, or what the key is for; "": text says it all

  /// "<file>:<line>:<column>: <text>"
  [[nodiscard]] std::string line(std::string_view file) const;
};

}  // namespace unicni::document
