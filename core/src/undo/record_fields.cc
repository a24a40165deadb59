#include "undo/record_fields.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"

namespace unicni::undo {

/// A field that must be there. Records come from a file, so what is missing or malformed is an
/// error of that record alone, never a crash.
const std::string& field(const Undo& record, std::string_view key) {
  const auto found = std::find_if(record.fields.begin(), record.fields.end(),
                                  [&](const auto& pair) { return pair.first == key; });
  if (found != record.fields.end()) return found->second;
  throw Error(Code::internal,
              fmt::format("undo record \"{}\" has no field \"{}\"", record.type, key));
}

/// Empty for absent: fields that later versions added read like that in older records.
std::string_view optional_field(const Undo& record, std::string_view key) {
  const auto found = std::find_if(record.fields.begin(), record.fields.end(),
                                  [&](const auto& pair) { return pair.first == key; });
  return found == record.fields.end() ? std::string_view() : found->second;
}

void refuse_field(const Undo& record, std::string_view key) {
  throw Error(Code::internal, fmt::format("undo record \"{}\": {} is \"{}\"", record.type, key,
                                          field(record, key)));
}

std::optional<bool> find_flag(const Undo& record, std::string_view key) {
  const std::string_view text = optional_field(record, key);
  if (text.empty()) return std::nullopt;
  if (text != "0" && text != "1") refuse_field(record, key);
  return text == "1";
}

std::optional<IpAddress> find_address(const Undo& record, std::string_view key) {
  const std::string_view text = optional_field(record, key);
  if (text.empty()) return std::nullopt;
  const auto address = IpAddress::parse(text);
  if (!address) refuse_field(record, key);
  return address;
}

IpNet get_net(const Undo& record, std::string_view key) {
  const auto net = IpNet::parse(field(record, key));
  if (!net) refuse_field(record, key);
  return *net;
}

IpAddress get_address(const Undo& record, std::string_view key) {
  const auto address = IpAddress::parse(field(record, key));
  if (!address) refuse_field(record, key);
  return *address;
}

Family get_family(const Undo& record) {
  return field(record, "family") == "4" ? Family::v4 : Family::v6;
}

}  // namespace unicni::undo
