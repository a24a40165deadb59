// JSON objects that aren't parsed as a request is.
#include "unicni/json_object.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "options/reader.h"
#include "protocol/document.h"
#include "unicni/error.h"
#include "unicni/options.h"

namespace unicni {

/// Asked of the text, as the parsed tree has only the last of equal keys.
std::optional<std::string> find_repeated_key(const std::string& config, const std::string& key) {
  for (const protocol::RawMember& member : protocol::split_object(config)) {
    if (!protocol::same_letters(member.key, key) || !member.value.starts_with('{')) continue;
    std::unordered_set<std::string> keys;
    for (const protocol::RawMember& each : protocol::split_object(member.value)) {
      if (!keys.insert(each.key).second) return each.key;
    }
  }
  return std::nullopt;
}

std::string json_text(const std::string& text) { return protocol::quote(text); }

/// A file that another program may have written in another version: other keys are passed over, and
/// what can't be read is an answer and no error.
bool read_json_object(const std::string& text, const OptionTable& table, void* into) {
  try {
    const auto json = protocol::parse_document(text, "a file");
    if (!json.is_object()) return false;
    options::Warnings warnings;
    options::Reader(Command::add, warnings)
        .read_rows(table, OptionSource::config, &json, options::Neighbours::many, options::Path(),
                   into);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// The text is checked as a whole first; the members are then kept as they were written. Of equal
/// keys the last one counts, in the place of the first.
std::optional<JsonObject> JsonObject::parse(const std::string& text) {
  try {
    if (!protocol::parse_document(text, "an object").is_object()) return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
  JsonObject object;
  std::unordered_map<std::string, std::size_t> places;  // set() looks at each member
  for (const protocol::RawMember& member : protocol::split_object(text)) {
    const auto [place, is_new] = places.emplace(member.key, object.members_.size());
    if (is_new) {
      object.members_.emplace_back(member.key, member.value);
    } else {
      object.members_[place->second].second = member.value;
    }
  }
  return object;
}

const std::string* JsonObject::find(std::string_view key) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const Member& member) { return member.first == key; });
  return found == members_.end() ? nullptr : &found->second;
}

std::optional<std::string> JsonObject::find_string(std::string_view key) const {
  const std::string* value = find(key);
  if (value == nullptr || !value->starts_with('"')) return std::nullopt;
  return nlohmann::json::parse(*value).get<std::string>();
}

/// `value` is JSON text: a string comes with its quotes (json_text()).
void JsonObject::set(const std::string& key, std::string value) {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const Member& member) { return member.first == key; });
  if (found == members_.end()) {
    members_.emplace_back(key, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

/// In the order in which members came, so that equal input gives equal output.
std::string JsonObject::str() const {
  std::string text = "{";
  for (const auto& [key, value] : members_) {
    if (text.size() > 1) text += ',';
    text += protocol::quote(key) + ':' + value;
  }
  return text + '}';
}

std::optional<std::vector<std::string>> json_elements(const std::string& text) {
  try {
    if (!protocol::parse_document(text, "a list").is_array()) return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
  std::vector<std::string> elements;
  for (const std::string_view each : protocol::split_array(text)) elements.emplace_back(each);
  return elements;
}

std::string json_array(const std::vector<std::string>& elements) {
  std::string text = "[";
  for (const std::string& each : elements) {
    if (text.size() > 1) text += ',';
    text += each;
  }
  return text + ']';
}

}  // namespace unicni
