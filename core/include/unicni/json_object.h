// JSON that isn't parsed as a request is: an object whose keys and values are free, for a module
// that writes another plugin's configuration, and the state files of the reference. It crosses the
// module interface as text only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicni {

struct OptionTable;

/// Keys count in their letter case, as in Go's maps; of equal keys the last one counts.
class JsonObject {
 public:
  using Member = std::pair<std::string, std::string>;  ///< key, its value as JSON text

  /// nullopt: `text` isn't one JSON object, in UTF-8 and nested no deeper than a request may be.
  static std::optional<JsonObject> parse(const std::string& text);

  /// The value as JSON text; nullptr: absent.
  [[nodiscard]] const std::string* find(std::string_view key) const;
  /// The value, if it is a string.
  [[nodiscard]] std::optional<std::string> find_string(std::string_view key) const;
  /// `value` is JSON text: json_text(), a number, true, another object's str() … It replaces what
  /// the key had.
  void set(const std::string& key, std::string value);
  /// set(), unless the key is there, with whatever value.
  void set_default(const std::string& key, std::string value) {
    if (find(key) == nullptr) set(key, std::move(value));
  }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] std::string str() const;  ///< compact, in the order of set()

 private:
  std::vector<Member> members_;
};

/// The elements of a JSON array, each as JSON text; nullopt: `text` is something else.
std::optional<std::vector<std::string>> json_elements(const std::string& text);
/// The array of such elements.
std::string json_array(const std::vector<std::string>& elements);

/// A key that stands twice in the object `key` of a configuration (Call::request), of which the
/// last would silently win. nullopt: none, or there is no such object.
std::optional<std::string> find_repeated_key(const std::string& config, const std::string& key);

/// `text` as a JSON string, with its quotes.
std::string json_text(const std::string& text);

/// Fills the table's struct from a JSON object that isn't a configuration: a state file of the
/// reference. False: it is no such object; then some members may be filled.
bool read_json_object(const std::string& text, const OptionTable& table, void* into);

}  // namespace unicni
