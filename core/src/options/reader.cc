// Values of the request into the struct of a table. A mistake is an error that names the path, the
// value and what is expected; on DEL it is a warning.
#include "options/reader.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <span>

#include "options/scalar.h"

namespace unicni::options {
namespace {

using nlohmann::ordered_json;

/// A value that a key which is not offered may still have: it asks for nothing.
bool asks_for_nothing(const Option& row, const OptionTable& table, const ordered_json& value) {
  if (value.is_boolean()) return !value.get<bool>() || default_of(row, table) == "true";
  if (value.is_number()) return value == 0 || value.dump() == default_of(row, table);
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return text.empty() || (row.type->kind == ValueKind::string && text == default_of(row, table));
  }
  return value.empty();
}

bool is_text_with_nul(const ordered_json& value) {
  return value.is_string() && holds_nul(value.get_ref<const std::string&>());
}

Error with_nul(const Path& path, const Option& row, const ordered_json& value) {
  return {Code::invalid_config,
          fmt::format("{}: {} holds a NUL byte, which no text here may", path.str(), shown(value)),
          row.doc};
}

Error wrong(const Path& path, const ValueType& type, const Option& row, const ordered_json& value) {
  if (is_text_with_nul(value)) return with_nul(path, row, value);
  return {Code::invalid_config,
          fmt::format("{}: {} is expected, not {}", path.str(), expected(type, row), shown(value)),
          row.doc};
}

/// A struct of a table, alive for the time of a trial.
class Scratch {
 public:
  explicit Scratch(const OptionTable& table) : table_(table), options_(table.create()) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { table_.destroy(options_); }
  [[nodiscard]] void* get() const { return options_; }

 private:
  const OptionTable& table_;
  void* options_;
};

}  // namespace

/// By the same functions as values of a user, so a default that doesn't fit its row is found by the
/// first test that parses the table.
void set_defaults(const OptionTable& table, void* options) {
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.default_text == nullptr) continue;
    if (set_from_text(*row.type, row, row.field(options), row.default_text) == Outcome::wrong) {
      throw Error(Code::internal,
                  fmt::format("option table: default {} of \"{}\" is not {}",
                              shown_text(row.default_text), row.key, expected(*row.type, row)));
    }
  }
}

/// DEL is never refused for its configuration (CNI spec, section 2): a container that can't be
/// removed is worse than a wrong key.
void Reader::refuse(const Error& error) {
  if (command_ != Command::del) throw Error(error);
  warnings_.add([&] { return error.msg() + "; ignored"; });
}

/// A key that this verb doesn't use isn't looked at: what only ADD needs can't make a DEL or CHECK
/// fail.
bool Reader::read_rows(const OptionTable& table, OptionSource source, const ordered_json* object,
                       Neighbours neighbours, const Path& path, void* options) {
  bool complete = true;
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.source != source || !uses(row)) continue;
    const ordered_json* value = object == nullptr ? nullptr : find_value(*object, row);
    if (!read_row(table, row, value, Path(path, row.key), options) && row.required)
      complete = false;
  }
  if (object != nullptr) warn_of_keys(*object, path, table, source, neighbours, warnings_);
  return complete;
}

/// A key that isn't offered yet may be there as long as it asks for nothing, as generators write
/// every key with its empty value.
bool Reader::read_row(const OptionTable& table, const Option& row, const ordered_json* value,
                      const Path& path, void* options) {
  if (value == nullptr) {
    if (row.required) {
      refuse({Code::invalid_config,
              fmt::format("{}: missing, {} is needed", path.str(), expected(*row.type, row)),
              row.doc});
    }
    return false;
  }
  if (!row.offered) {
    if (!asks_for_nothing(row, table, *value)) {
      refuse({Code::unsupported_field,
              fmt::format("{}: {} is not offered yet", path.str(), shown(*value)), row.doc});
    }
    return true;
  }
  return read_value(*row.type, row, *value, path, row.field(options));
}

bool Reader::read_value(const ValueType& type, const Option& row, const ordered_json& value,
                        const Path& path, void* field) {
  switch (type.kind) {
    case ValueKind::list:
      if (!value.is_array()) break;
      read_list(type, row, value, path, engaged(type, field));
      return true;
    case ValueKind::object: {
      if (!value.is_object()) break;
      void* object = engaged(type, field);
      set_defaults(*type.fields, object);
      return read_rows(*type.fields, OptionSource::config, &value, Neighbours::none, path, object);
    }
    case ValueKind::text_map:
      if (!value.is_object()) break;
      read_text_map(row, value, path, *static_cast<TextMap*>(engaged(type, field)));
      return true;
    case ValueKind::free_object: {
      if (!value.is_object()) break;
      auto& object = *static_cast<JsonObject*>(engaged(type, field));
      // Printed and parsed: JsonObject keeps texts, so that modules need no JSON library.
      object = JsonObject::parse(value.dump()).value_or(JsonObject());
      return true;
    }
    default: {
      const Outcome outcome = set_from_json(type, row, field, value);
      if (outcome == Outcome::set) return true;
      if (outcome == Outcome::absent && !row.required) return false;
      break;
    }
  }
  refuse(wrong(path, type, row, value));
  return false;
}

void Reader::read_text_map(const Option& row, const ordered_json& value, const Path& path,
                           TextMap& map) {
  for (const auto& [key, text] : value.get_ref<const ordered_json::object_t&>()) {
    if (holds_nul(key) || is_text_with_nul(text)) {
      refuse(with_nul(path, row, ordered_json::object({{key, text}})));
    } else if (text.is_string()) {
      map.emplace_back(key, text.get<std::string>());
    } else {
      refuse({Code::invalid_config,
              fmt::format("{}: a string is expected, not {}", Path(path, key).str(), shown(text)),
              row.doc});
    }
  }
}

void Reader::read_list(const ValueType& type, const Option& row, const ordered_json& value,
                       const Path& path, void* list) {
  std::size_t index = 0;
  for (const ordered_json& element : value)
    read_element(type, row, element, Path(path, index++), list);
}

/// What can't be read is not appended, so that on DEL no half-made element takes part.
void Reader::read_element(const ValueType& type, const Option& row, const ordered_json& value,
                          const Path& path, void* list) {
  const ValueType& element = *type.element;
  switch (element.kind) {
    case ValueKind::list:
      if (!value.is_array()) break;
      return read_list(element, row, value, path, engaged(element, type.append(list)));
    case ValueKind::object:
      if (!value.is_object()) break;
      if (command_ == Command::del && !is_complete(*element.fields, value, path)) return;
      read_value(element, row, value, path, type.append(list));
      return;
    default:
      if (!fits(element, row, value)) break;
      set_from_json(element, row, type.append(list), value);
      return;
  }
  refuse(wrong(path, element, row, value));
}

/// On DEL an element is read into a struct that is thrown away first: half of an object must not
/// take part.
bool Reader::is_complete(const OptionTable& table, const ordered_json& value, const Path& path) {
  Warnings found;
  const Scratch scratch(table);
  if (Reader(command_, found)
          .read_rows(table, OptionSource::config, &value, Neighbours::none, path, scratch.get())) {
    return true;
  }
  warnings_.add_all(found);
  return false;
}

}  // namespace unicni::options
