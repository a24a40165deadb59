// JSON objects that aren't parsed as a request is.
#include <nlohmann/json.hpp>

#include "options/reader.h"
#include "protocol/document.h"
#include "unicni/error.h"
#include "unicni/options.h"

namespace unicni {

std::optional<std::string> find_repeated_key(const std::string& config, const std::string& key) {
  for (const protocol::RawMember& member : protocol::split_object(config)) {
    if (!protocol::same_letters(member.key, key) || !member.value.starts_with('{')) continue;
    const auto inner = protocol::split_object(member.value);
    for (std::size_t i = 0; i < inner.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (inner[i].key == inner[j].key) return inner[i].key;
      }
    }
  }
  return std::nullopt;
}

std::string json_text(const std::string& text) { return protocol::quote(text); }

bool read_json_object(const std::string& text, const OptionTable& table, void* into) {
  try {
    const auto json = protocol::parse_document(text, "a file");
    if (!json.is_object()) return false;
    std::vector<std::string> warnings;
    options::Reader(Command::add, warnings)
        .read_rows(table, OptionSource::config, &json, options::Neighbours::many, options::Path(),
                   into);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace unicni
