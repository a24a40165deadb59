#include "journal/record_fields.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"

namespace unicni::journal {

const std::string& field(const Undo& record, std::string_view key) {
  const auto found = std::find_if(record.fields.begin(), record.fields.end(),
                                  [&](const auto& pair) { return pair.first == key; });
  if (found != record.fields.end()) return found->second;
  throw Error(Code::internal,
              fmt::format("undo record \"{}\" has no field \"{}\"", record.type, key));
}

std::string_view optional_field(const Undo& record, std::string_view key) {
  const auto found = std::find_if(record.fields.begin(), record.fields.end(),
                                  [&](const auto& pair) { return pair.first == key; });
  return found == record.fields.end() ? std::string_view() : found->second;
}

}  // namespace unicni::journal
