// A configuration's object, whose members can be changed while all others stay as they were
// written.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicni::policy {

class Fields {
 public:
  /// `object` is JSON text that was parsed before; what is no object has no members.
  explicit Fields(std::string_view object);

  /// The value that counts, as JSON text: of the exact spelling, else of any letter case; the last
  /// of equal keys. nullptr: absent or null.
  [[nodiscard]] const std::string* find(std::string_view key) const&;
  const std::string* find(std::string_view key) const&& = delete;
  /// The values of all members with that key, in whatever letter case and how often.
  [[nodiscard]] std::vector<std::string_view> find_all(std::string_view key) const&;
  std::vector<std::string_view> find_all(std::string_view key) const&& = delete;
  /// find() is an object: its members; else none.
  [[nodiscard]] Fields section(std::string_view key) const;
  /// Replaces all members with that key, in whatever letter case.
  void set(std::string_view key, std::string json);
  void remove(std::string_view key);
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& members() const& {
    return members_;
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> members() && {
    return std::move(members_);
  }
  [[nodiscard]] std::string str() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;  // key, value as written
};

}  // namespace unicni::policy
