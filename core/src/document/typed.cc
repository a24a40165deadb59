#include "document/typed.h"

#include <fmt/core.h>

#include <span>
#include <utility>

#include "document/builder.h"
#include "document/plain.h"
#include "options/describe.h"
#include "options/scalar.h"
#include "protocol/document.h"
#include "protocol/plugin_fields.h"

namespace unicni::document {
namespace {

template <class Write>
std::string list_of(const Node& node, const Write& write) {
  std::string text = "[";
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) text += ',';
    text += write(*node.children[i].node, i);
  }
  return text + ']';
}

template <class Write>
std::string object_of(const Node& node, const Write& write) {
  std::string text = "{";
  for (const Child& child : node.children) append_member(text, child.key, write(child));
  return text + '}';
}

bool is_needed(const Option& row) {
  return row.required && (row.verbs == 0 || (row.verbs & static_cast<unsigned>(Command::add)) != 0);
}

/// "" for an optional address counts as not given (options/scalar.h).
bool counts_as_absent(const ValueType& type, std::string_view json) {
  return type.engage != nullptr && json == "\"\"" &&
         (type.kind == ValueKind::ip || type.kind == ValueKind::mac);
}

/// Of an integer that is written with a unit; "": it isn't.
std::string digits_of(ValueKind kind, const Node& node) {
  if (kind != ValueKind::integer || plain_integer(node.text)) return {};
  const auto size = parse_size(node.text);
  return size ? std::to_string(*size) : std::string();
}

}  // namespace

std::string TypedWriter::free(const Node& node) const {
  if (node.kind == Kind::sequence) {
    return list_of(node, [&](const Node& element, std::size_t) { return free(element); });
  }
  if (node.kind == Kind::map) {
    return object_of(node, [&](const Child& child) { return free(*child.node); });
  }
  if (node.style == Style::text) return protocol::quote(node.text);
  return syntax_ == Syntax::json ? node.text : plain_json(node.text);
}

std::string TypedWriter::value(const ValueType& type, const Option& row, const Node& node,
                               const std::string& path) {
  if (node.is_null()) return "null";
  switch (type.kind) {
    case ValueKind::list:
      if (node.kind != Kind::sequence) break;
      return list_of(node, [&](const Node& element, std::size_t i) {
        const std::string where = path_to(path, i);
        if (element.is_null()) {
          add_wrong(element, where, options::expected(*type.element, row), row.doc);
        }
        return value(*type.element, row, element, where);
      });
    case ValueKind::object:
      if (node.kind != Kind::map) break;
      return object(*type.fields, OptionSource::config, options::Neighbours::none, node, path);
    case ValueKind::text_map:
      if (node.kind != Kind::map) break;
      return object_of(node, [&](const Child& child) {
        static constexpr ValueType kText{ValueKind::string};
        static constexpr Option kNoChoices{"", "", &kText, nullptr};
        const std::string where = path_to(path, child.key);
        if (child.node->is_null()) add_wrong(*child.node, where, "a string", row.doc);
        return value(kText, kNoChoices, *child.node, where);
      });
    case ValueKind::free_object:
      if (node.kind != Kind::map) break;
      return free(node);
    default:
      if (node.kind == Kind::scalar) return scalar(type, row, node, path);
  }
  add_wrong(node, path, options::expected(type, row), row.doc);
  return free(node);
}

std::string TypedWriter::scalar(const ValueType& type, const Option& row, const Node& node,
                                const std::string& path) {
  std::string json = scalar_json(type.kind, node);
  if (options::fits_json(type, row, json) || counts_as_absent(type, json)) return json;
  std::string digits = digits_of(type.kind, node);
  const bool is_size = !digits.empty() && options::fits_json(type, row, digits);
  if (is_size && sizes_ == Sizes::with_units) return digits;
  add(FindingKind::wrong_value, node.position,
      fmt::format("{}: {} is expected, not {}{}", path, options::expected(type, row), shown(node),
                  is_size ? fmt::format("; in digits: {}", digits) : ""),
      row.doc);
  return json;
}

std::string TypedWriter::scalar_json(ValueKind kind, const Node& node) const {
  if (node.style == Style::text) return protocol::quote(node.text);
  if (syntax_ == Syntax::json) return node.text;
  if (kind == ValueKind::boolean) {
    return plain_boolean(node.text).value_or(protocol::quote(node.text));
  }
  if (kind == ValueKind::integer) {
    return plain_integer(node.text).value_or(protocol::quote(node.text));
  }
  return protocol::quote(node.text);
}

std::string TypedWriter::object(const OptionTable& table, OptionSource source,
                                options::Neighbours neighbours, const Node& map,
                                const std::string& path) {
  check_required(table, source, map, path);
  return object_of(map, [&](const Child& child) {
    check_key(table, source, neighbours, map, child, path);
    return member(table, source, child, path);
  });
}

std::string TypedWriter::member(const OptionTable& table, OptionSource source, const Child& child,
                                const std::string& path) {
  const Option* row = options::find_row(table, source, child.key);
  if (row == nullptr || !row->offered) return free(*child.node);
  return value(*row->type, *row, *child.node, path_to(path, child.key));
}

void TypedWriter::check_key(const OptionTable& table, OptionSource source,
                            options::Neighbours neighbours, const Node& map, const Child& child,
                            const std::string& path) {
  if (findings_.size() >= kFindingLimit) return;
  const char* meant = options::known_spelling(table, source, neighbours, child.key);
  if (meant != nullptr && child.key == meant) return;
  const std::string where = path_to(path, child.key);
  if (meant != nullptr) {
    add(FindingKind::letter_case, child.key_position,
        fmt::format("{}: {} \"{}\"; write it in this letter case", where,
                    map.find(meant) == nullptr ? "this key is taken for" : "another key is", meant),
        {});
  } else if (neighbours == options::Neighbours::plugin &&
             protocol::is_written_by_runtime(child.key)) {
    return;  // the list's reader warns of it
  } else if (neighbours != options::Neighbours::many) {
    const std::string hint = options::hint_for(child.key, table, source, neighbours);
    add(FindingKind::unknown_key, child.key_position,
        fmt::format("{}: unknown key{}{}", where, hint.empty() ? "" : "; ", hint), {});
  }
}

void TypedWriter::check_required(const OptionTable& table, OptionSource source, const Node& map,
                                 const std::string& path) {
  if (findings_.size() >= kFindingLimit) return;
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.source != source || !is_needed(row)) continue;
    bool is_given = false;
    for (const Child& child : map.children) {
      is_given = is_given ||
                 (options::find_row(table, source, child.key) == &row && !child.node->is_null());
    }
    if (is_given) continue;
    add(FindingKind::missing_key, map.position,
        fmt::format("{}: missing, {} is needed", path_to(path, row.key),
                    options::expected(*row.type, row)),
        row.doc);
  }
}

void TypedWriter::add(FindingKind kind, Position position, std::string text, std::string details) {
  findings_.push_back({kind, position, std::move(text), std::move(details)});
}

void TypedWriter::add_wrong(const Node& node, const std::string& path, std::string_view expected,
                            std::string details) {
  add(FindingKind::wrong_value, node.position,
      fmt::format("{}: {} is expected, not {}", path, expected, shown(node)), std::move(details));
}

void append_member(std::string& object, std::string_view key, std::string_view json) {
  if (object.size() > 1) object += ',';
  object.append(protocol::quote(key)).append(":").append(json);
}

}  // namespace unicni::document
