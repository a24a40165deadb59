// Trees as texts, for the tests of this folder.
#pragma once

#include <fmt/core.h>

#include <string>

#include "base/error_for_test.h"
#include "document/document.h"
#include "document/json.h"
#include "document/node.h"
#include "document/source.h"
#include "document/yaml.h"

namespace unicni::document {

inline std::string at(Position position) {
  return fmt::format("@{}:{}", position.line, position.column);
}

/// {"key": value, ...}, [value, ...]; what is plain stands bare. With `places` each key and value
/// has @line:column behind it.
inline std::string text_of(const Node& node, bool places = false) {
  const std::string place = places ? at(node.position) : "";
  const auto scalar = [](const std::string& text, Style style) {
    return style == Style::plain ? text : '"' + text + '"';
  };
  if (node.kind == Kind::scalar) return scalar(node.text, node.style) + place;
  std::string text;
  for (const Child& child : node.children) {
    if (!text.empty()) text += ", ";
    if (node.kind == Kind::map) {
      text += scalar(child.key, child.key_style) + (places ? at(child.key_position) : "") + ": ";
    }
    text += text_of(*child.node, places);
  }
  return (node.kind == Kind::map ? '{' + text + '}' : '[' + text + ']') + place;
}

inline std::string yaml(const std::string& text, bool places = false) {
  return text_of(*read_yaml(Source("f", text)), places);
}
inline std::string json(const std::string& text, bool places = false) {
  return text_of(*read_json(Source("f", text)), places);
}
/// "msg | details"
inline std::string yaml_refusal(const std::string& text) {
  const Error error = error_of([&] { read_yaml(Source("f", text)); });
  EXPECT_TRUE(error.is(Code::decode));
  return error.msg() + " | " + error.details();
}
inline std::string json_refusal(const std::string& text) {
  const Error error = error_of([&] { read_json(Source("f", text)); });
  EXPECT_TRUE(error.is(Code::decode));
  return error.msg() + " | " + error.details();
}

}  // namespace unicni::document
