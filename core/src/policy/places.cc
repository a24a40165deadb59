#include "policy/places.h"

#include <algorithm>
#include <span>

#include "protocol/document.h"

namespace unicni::policy {
namespace {

std::span<const Option> rows_of(const OptionTable& table) { return {table.rows, table.count}; }

/// The table of the objects that a value is made of, or has in lists; nullptr: none.
const OptionTable* fields_of(const ValueType& type) {
  const ValueType* inner = &type;
  while (inner->kind == ValueKind::list) inner = inner->element;
  return inner->kind == ValueKind::object ? inner->fields : nullptr;
}

bool has_row(const OptionTable& table, std::string_view key) {
  const auto rows = rows_of(table);
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Option& row) { return protocol::same_letters(row.key, key); });
}

bool has_inner_row(const OptionTable& table, std::string_view key) {
  const auto rows = rows_of(table);
  return std::any_of(rows.begin(), rows.end(), [&](const Option& row) {
    const OptionTable* const fields = fields_of(*row.type);
    return fields != nullptr && (has_row(*fields, key) || has_inner_row(*fields, key));
  });
}

/// The objects of a value; in lists of any depth.
void add_objects(std::string_view json, std::vector<Fields>& objects) {
  json = protocol::trimmed(json);
  if (json.starts_with('{')) objects.emplace_back(json);
  if (!json.starts_with('[')) return;
  for (const std::string_view element : protocol::split_array(json)) add_objects(element, objects);
}

std::vector<Fields> objects_of(std::string_view json) {
  std::vector<Fields> objects;
  add_objects(json, objects);
  return objects;
}

/// What is written for the key in the objects that stand in `object`.
void add_inner(const OptionTable& table, const Fields& object, std::string_view key,
               std::vector<std::string>& values) {
  for (const Option& row : rows_of(table)) {
    const OptionTable* const fields = fields_of(*row.type);
    if (fields == nullptr) continue;
    for (const std::string_view json : object.find_all(row.key)) {
      for (const Fields& inner : objects_of(json)) {
        for (const std::string_view value : inner.find_all(key)) values.emplace_back(value);
        add_inner(*fields, inner, key, values);
      }
    }
  }
}

bool is_read_at_add(const Option& row) {
  return row.verbs == 0 || (row.verbs & static_cast<unsigned>(Command::add)) != 0;
}

/// A plugin's own options may stand for an object of those that it has in lists: host-local's
/// "subnet" for one of "ranges".
bool stand_for(const OptionTable& fields, const OptionTable& own, const Fields& config) {
  const auto rows = rows_of(own);
  return std::any_of(rows.begin(), rows.end(), [&](const Option& row) {
    return row.source == OptionSource::config && config.find(row.key) != nullptr &&
           has_row(fields, row.key);
  });
}

}  // namespace

const Option* find_row(const Server& server, OptionSource source, std::string_view key) {
  if (server.options == nullptr) return nullptr;
  for (const Option& row : rows_of(*server.options)) {
    if (row.source == source && protocol::same_letters(row.key, key)) return &row;
  }
  return nullptr;
}

Places::Places(const Server& server, const Fields& config, bool is_ipam)
    : server_(server), config_(config), is_ipam_(is_ipam) {
  if (is_ipam) {
    for (const std::string_view json : config.find_all("ipam")) sections_.emplace_back(json);
  } else {
    sections_.push_back(config);
  }
  for (const std::string_view json : config.find_all("runtimeConfig")) sections_.emplace_back(json);
  for (const std::string_view json : config.find_all("args")) {
    const Fields args(json);
    for (const std::string_view cni : args.find_all("cni")) sections_.emplace_back(cni);
  }
}

bool Places::has_option(std::string_view key) const {
  return server_.options == nullptr || has_row(*server_.options, key);
}

bool Places::has_inner_option(std::string_view key) const {
  return server_.options != nullptr && has_inner_row(*server_.options, key);
}

Fields Places::section(OptionSource source) const {
  switch (source) {
    case OptionSource::config:
      return is_ipam_ ? config_.section("ipam") : config_;
    case OptionSource::runtime_config:
      return config_.section("runtimeConfig");
    case OptionSource::args_cni:
      return config_.section("args").section("cni");
    case OptionSource::cni_args:
      break;
  }
  return Fields({});
}

std::vector<std::string> Places::written(std::string_view key, const Args& args) const {
  std::vector<std::string> values;
  for (const Fields& section : sections_) {
    for (const std::string_view json : section.find_all(key)) values.emplace_back(json);
  }
  if (server_.options != nullptr && find_row(server_, OptionSource::cni_args, key) == nullptr)
    return values;
  for (const auto& [name, value] : args) {
    if (protocol::same_letters(name, key)) values.push_back(protocol::quote(value));
  }
  return values;
}

std::vector<std::string> Places::written_inside(std::string_view key) const {
  std::vector<std::string> values;
  if (server_.options == nullptr) return values;
  for (const Fields& section : sections_) add_inner(*server_.options, section, key, values);
  return values;
}

Places::Reading Places::read(std::string_view key, const Args& args,
                             const IsUnset& is_unset) const {
  Reading reading;
  const Fields own = section(OptionSource::config);
  const auto is_given = [&](const std::string* json) {
    return json != nullptr && !is_unset(*json);
  };
  const std::function<void(const Option&, const Fields&)> look_inside = [&](const Option& row,
                                                                            const Fields& object) {
    const OptionTable* const fields = fields_of(*row.type);
    const std::string* const json = object.find(row.key);
    if (fields == nullptr || json == nullptr) return;
    for (const Fields& inner : objects_of(*json)) {
      for (const Option& field : rows_of(*fields)) {
        look_inside(field, inner);
        if (!protocol::same_letters(field.key, key)) continue;
        if (!is_given(inner.find(field.key))) {
          reading.missing.push_back({&field, fields});
        } else if (!stand_for(*fields, *server_.options, own)) {
          reading.is_given = true;
        }
      }
    }
  };
  for (const Option& row : rows_of(*server_.options)) {
    if (!is_read_at_add(row)) continue;
    const bool is_named = protocol::same_letters(row.key, key);
    if (row.source == OptionSource::cni_args) {
      const bool is_there = std::any_of(args.begin(), args.end(), [&](const auto& pair) {
        return pair.first == row.key && !pair.second.empty();
      });
      reading.is_given = reading.is_given || (is_named && is_there);
      continue;
    }
    const Fields object = section(row.source);
    if (is_named && is_given(object.find(row.key))) reading.is_given = true;
    look_inside(row, object);
  }
  return reading;
}

}  // namespace unicni::policy
