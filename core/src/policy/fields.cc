#include "policy/fields.h"

#include "protocol/document.h"

namespace unicni::policy {

namespace {

bool is_object(std::string_view json) { return protocol::trimmed(json).starts_with('{'); }

}  // namespace

Fields::Fields(std::string_view object) {
  if (!is_object(object)) return;
  for (protocol::RawMember& member : protocol::split_object(object)) {
    members_.emplace_back(std::move(member.key), std::string(member.value));
  }
}

const std::string* Fields::find(std::string_view key) const& {
  const std::string* found = nullptr;
  bool is_exact = false;
  for (const auto& [name, value] : members_) {
    if (name == key) {
      found = &value;
      is_exact = true;
    } else if (!is_exact && protocol::same_letters(name, key)) {
      found = &value;
    }
  }
  return found == nullptr || *found == "null" ? nullptr : found;
}

std::vector<std::string_view> Fields::find_all(std::string_view key) const& {
  std::vector<std::string_view> values;
  for (const auto& [name, value] : members_) {
    if (protocol::same_letters(name, key) && value != "null") values.push_back(value);
  }
  return values;
}

Fields Fields::section(std::string_view key) const {
  const std::string* value = find(key);
  return Fields(value == nullptr ? std::string_view() : *value);
}

void Fields::remove(std::string_view key) {
  std::erase_if(members_,
                [&](const auto& member) { return protocol::same_letters(member.first, key); });
}

void Fields::set(std::string_view key, std::string json) {
  remove(key);
  members_.emplace_back(key, std::move(json));
}

std::string Fields::str() const {
  std::string text = "{";
  for (const auto& [key, value] : members_) {
    if (text.size() > 1) text += ',';
    text.append(protocol::quote(key)).append(":").append(value);
  }
  return text + '}';
}

}  // namespace unicni::policy
