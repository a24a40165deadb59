// Netconf + option table → a module's struct.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unicni/call.h"
#include "unicni/options.h"

namespace unicni::options {

/// Owns a parsed struct.
class Parsed {
 public:
  Parsed() = default;
  explicit Parsed(const OptionTable& table) : table_(&table), data_(table.create()) {}
  Parsed(Parsed&& other) noexcept
      : table_(std::exchange(other.table_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  Parsed& operator=(Parsed&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Parsed() {
    if (data_ != nullptr) table_->destroy(data_);
  }
  [[nodiscard]] const void* data() const noexcept { return data_; }
  [[nodiscard]] void* data() noexcept { return data_; }

 private:
  const OptionTable* table_ = nullptr;
  void* data_ = nullptr;
};

struct Input {
  const nlohmann::ordered_json& netconf;  ///< the whole plugin object
  bool ipam = false;                      ///< true: OptionSource::config means netconf["ipam"]
  std::string_view args;  ///< CNI_ARGS, unparsed; looked at only if the table has such rows
  Command command = Command::add;
};

/// Fills a struct by `table`. Wrong type, range, choice, a missing required key:
/// Error(invalid_config) naming key, value and what is allowed, as does a string with a NUL byte; a
/// key that is not offered: Error(unsupported_field); CNI_ARGS: Error(invalid_environment). On DEL
/// nothing of that throws: what can't be read keeps its default and becomes a warning. `warnings`
/// receives one line per unknown key (with the nearest known one) and per key in another letter
/// case, unless the runtime wrote it (runtimeConfig); of many the first few and their number
/// (options/warnings.h).
Parsed parse(const OptionTable& table, const Input& input, std::vector<std::string>& warnings);

}  // namespace unicni::options
