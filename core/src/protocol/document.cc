#include "protocol/document.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "protocol/gc_list.h"
#include "protocol/request.h"
#include "unicni/error.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;
using Object = Json::object_t;

constexpr std::size_t kShownLimit = 120;    // bytes of a value in a message
constexpr std::size_t kRefusalLimit = 240;  // bytes; the library quotes the token, however long
constexpr std::size_t kFewKeys = 16;  // up to here comparing all pairs is cheaper than sorting

// The library's own builder looks each key up in a list, which is quadratic: a request of 100,000
// keys would take seconds. This one appends and sorts duplicates out when an object ends.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::span<GcList> lists) : lists_(lists) {}
  // The functions from here on are called by the parser, one for each thing it reads (the SAX
  // interface of nlohmann::json). False ends the parse.
  [[nodiscard]] Json take() { return std::move(root_); }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  /// Bytes that were read before the parse was given up; 0: it was not for its syntax.
  [[nodiscard]] std::size_t read_until() const { return read_until_; }

  bool null() {
    return streams([](GcList& list) { list.null(); }) || add(Json(nullptr));
  }
  bool boolean(bool value) {
    return streams([](GcList& list) { list.other("boolean"); }) || add(Json(value));
  }
  bool number_integer(Json::number_integer_t value) { return add_number(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return add_number(value); }
  bool number_float(Json::number_float_t value, const std::string& /*text*/) {
    return add_number(value);
  }
  bool string(std::string& value) {
    return streams([&](GcList& list) { list.text(value); }) || add(Json(std::move(value)));
  }
  bool binary(Json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*elements*/) { return open(Json::value_t::object); }
  bool start_array(std::size_t /*elements*/) { return open(Json::value_t::array); }
  // A list that is streamed is found by its exact name at the outermost level only: a key of that
  // name further inside belongs to somebody's options.
  bool key(std::string& value) {
    if (streams([&](GcList& list) { list.key(value); })) return true;
    if (open_.size() == 1) {
      const auto named = std::find_if(lists_.begin(), lists_.end(),
                                      [&](const GcList& list) { return list.name() == value; });
      if (named != lists_.end()) {
        named->start();
        streaming_ = &*named;
        return true;
      }
    }
    key_ = std::move(value);
    return true;
  }
  bool end_object() {
    if (streams([](GcList& list) { list.close(); })) return true;
    keep_last_of_equal_keys(open_.back()->get_ref<Object&>());
    open_.pop_back();
    return true;
  }
  bool end_array() {
    if (streams([](GcList& list) { list.close(); })) return true;
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) {
    read_until_ = position;
    const std::string_view text = error.what();
    const std::size_t tag = text.find("] ");  // "[json.exception.parse_error.101] …"
    refusal_ = text.substr(tag == std::string_view::npos ? 0 : tag + 2, kRefusalLimit);
    return false;
  }

 private:
  /// Whether the event is one of a list's value, which has got it then.
  template <class Give>
  bool streams(const Give& give) {
    if (streaming_ == nullptr) return false;
    give(*streaming_);
    if (streaming_->is_over()) streaming_ = nullptr;
    return true;
  }
  bool add(Json&& value) {
    place(std::move(value));
    return true;
  }
  template <class Number>
  bool add_number(Number value) {
    return streams([](GcList& list) { list.other("number"); }) || add(Json(value));
  }
  // The depth is limited since everything that walks a document later does so by recursion.
  bool open(Json::value_t kind) {
    const std::size_t depth = open_.size() + (streaming_ == nullptr ? 0 : streaming_->depth());
    if (depth == static_cast<std::size_t>(kNestingLimit)) {
      refusal_ = fmt::format("nested deeper than {} levels", kNestingLimit);
      return false;
    }
    const bool is_array = kind == Json::value_t::array;
    if (streams([&](GcList& list) { list.open(is_array); })) return true;
    open_.push_back(place(Json(kind)));
    return true;
  }
  // The pointer stays good while the value is open: nothing is added to its parent before it ends.
  Json* place(Json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& array = open_.back()->get_ref<Json::array_t&>();
      array.push_back(std::move(value));
      return &array.back();
    }
    auto& object = open_.back()->get_ref<Object&>();
    object.emplace_back(std::move(key_), std::move(value));
    return &object.back().second;
  }
  // Most objects of a configuration have a handful of keys, none of them twice.
  static bool few_and_distinct(const Object& object) {
    if (object.size() > kFewKeys) return false;
    for (auto a = object.begin(); a != object.end(); ++a) {
      for (auto b = object.begin(); b != a; ++b) {
        if (a->first == b->first) return false;
      }
    }
    return true;
  }
  // Go's decoder lets the last of equal keys win, so the reference plugins do. Sorted by address
  // within equal keys, the last one is the one to keep. What stays keeps its order, which lists of
  // options rely on.
  static void keep_last_of_equal_keys(Object& object) {
    if (few_and_distinct(object)) return;
    const std::size_t count = object.size();
    std::vector<const Object::value_type*> sorted;
    sorted.reserve(count);
    for (const auto& member : object) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
      const int order = a->first.compare(b->first);
      return order != 0 ? order < 0 : a < b;
    });
    std::vector<bool> shadowed;
    for (std::size_t i = 0; i + 1 < count; ++i) {
      if (sorted[i]->first != sorted[i + 1]->first) continue;
      shadowed.resize(count);
      shadowed[static_cast<std::size_t>(sorted[i] - object.data())] = true;
    }
    if (shadowed.empty()) return;
    Object kept;
    for (std::size_t i = 0; i < count; ++i) {
      auto& member = object.data()[i];
      if (!shadowed[i]) kept.emplace_back(member.first, std::move(member.second));
    }
    object = std::move(kept);
  }

  std::span<GcList> lists_;
  GcList* streaming_ = nullptr;  // whose value is being parsed
  Json root_;
  std::vector<Json*> open_;
  std::string key_;
  std::string refusal_;
  std::size_t read_until_ = 0;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t after_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

// `at` is the opening quote.
std::size_t after_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

/// Only looks for the end of the value. The text was parsed before, so brackets match and every
/// string ends.
std::size_t after_value(std::string_view text, std::size_t at) {
  if (text[at] == '"') return after_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']' &&
           !is_space(text[at])) {
      ++at;
    }
    return at;
  }
  int depth = 0;
  do {
    const char c = text[at];
    if (c == '"') {
      at = after_string(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  } while (depth > 0 && at < text.size());
  return at;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<DocumentFault> build(std::string_view text, TreeBuilder& builder) {
  // The library takes a NUL byte for the end of input and skips a byte order mark.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    return DocumentFault{nul, fmt::format("a NUL byte at offset {}", nul)};
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    return DocumentFault{0, "it begins with a byte order mark"};
  }
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return std::nullopt;
  // The parser has read one byte beyond what it took; the end counts as one.
  const std::size_t read = builder.read_until();
  return DocumentFault{read == 0 ? text.size() : std::min(read - 1, text.size()),
                       builder.refusal()};
}

}  // namespace

Json parse_document(std::string_view text, std::string_view what, std::span<GcList> lists) {
  TreeBuilder builder(lists);
  if (const auto fault = build(text, builder)) {
    throw Error(Code::decode, fmt::format("cannot decode {}: {}", what, fault->why),
                "one JSON object in UTF-8 with nothing after it is expected");
  }
  for (GcList& list : lists) list.end();
  return builder.take();
}

std::optional<DocumentFault> find_fault(std::string_view text) {
  TreeBuilder builder({});
  return build(text, builder);
}

namespace {

/// The lower-case letter at the front, taken off. Two letters beyond ASCII count as one of it: the
/// long s (U+017F) and the sign of kelvin (U+212A), whose other cases are "S" and "K" (Unicode's
/// simple case folding, by which Go's decoder compares keys).
char take_letter(std::string_view& text) {
  constexpr std::string_view kLongS = "\xc5\xbf";
  constexpr std::string_view kKelvin = "\xe2\x84\xaa";
  const char first = text.front();
  const bool is_ascii = static_cast<std::uint8_t>(first) < 0x80;  // as nearly every key is
  if (!is_ascii) {
    for (const auto& [bytes, letter] : {std::pair(kLongS, 's'), std::pair(kKelvin, 'k')}) {
      if (!text.starts_with(bytes)) continue;
      text.remove_prefix(bytes.size());
      return letter;
    }
  }
  text.remove_prefix(1);
  return lower(first);
}

}  // namespace

bool same_letters(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (take_letter(a) != take_letter(b)) return false;
  }
  return a.empty() && b.empty();
}

const Json* find_exact(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  for (const auto& member : object.get_ref<const Object&>()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

/// As Go's decoder: an exact key wins over one in another letter case, of those the last one
/// counts, and null is the same as absent.
const Json* find_field(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const Json* found = nullptr;
  for (const auto& member : object.get_ref<const Object&>()) {
    if (member.first.size() < key.size()) continue;  // in bytes, of which letters take one or more
    if (member.first == key) {
      found = &member.second;
      break;
    }
    if (same_letters(member.first, key)) found = &member.second;
  }
  return found == nullptr || found->is_null() ? nullptr : found;
}

const char* kind_of(const Json& json) { return json.type_name(); }

std::string shown(const Json& json) {
  if (json.is_structured()) return kind_of(json);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, kShownLimit);
}

/// Members as they were written, byte for byte: what is handed on to another plugin keeps its
/// numbers (1e3, 1.0) and escapes. A parsed and printed document would not.
std::vector<RawMember> split_object(std::string_view object) {
  std::vector<RawMember> members;
  std::size_t at = after_space(object, after_space(object, 0) + 1);
  while (at < object.size() && object[at] == '"') {
    const std::size_t begin = at;
    at = after_string(object, at);
    const std::string_view key = object.substr(begin, at - begin);
    at = after_space(object, after_space(object, at) + 1);
    const std::size_t value = at;
    at = after_value(object, at);
    members.push_back(
        {unquoted(key), object.substr(value, at - value), object.substr(begin, at - begin)});
    at = after_space(object, after_space(object, at) + 1);
  }
  return members;
}

std::vector<std::string_view> split_array(std::string_view array) {
  std::vector<std::string_view> elements;
  std::size_t at = after_space(array, after_space(array, 0) + 1);
  while (at < array.size() && array[at] != ']') {
    const std::size_t end = after_value(array, at);
    elements.push_back(array.substr(at, end - at));
    at = after_space(array, after_space(array, end) + 1);
  }
  return elements;
}

std::string unquoted(std::string_view string) {
  if (string.find('\\') != std::string_view::npos) return Json::parse(string).get<std::string>();
  return std::string(string.substr(1, string.size() - 2));
}

const RawMember* find_raw(const std::vector<RawMember>& members, std::string_view key) {
  const RawMember* found = nullptr;
  bool exact = false;
  for (const RawMember& member : members) {
    const bool same = member.key == key;
    if (!same && (exact || !same_letters(member.key, key))) continue;
    found = &member;
    exact = same;
  }
  return found;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) + 1 - begin);
}

/// Bytes that aren't UTF-8 are replaced, so any text can be shown in an error and the reply stays
/// valid JSON.
std::string quote(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace unicni::protocol
