// One case file: README.md has its keys.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace unicni::golden {

using Json = nlohmann::ordered_json;

struct ExpectedError {
  std::optional<unsigned> code;
  std::optional<std::string> version;
  std::vector<std::string> msg_contains;
  std::vector<std::string> details_contains;
};

enum class Output : unsigned char { nothing, indented, line, error };

struct Case {
  std::string name;
  std::string as = "static";
  std::map<std::string, std::string> env;
  std::optional<std::string> input;  ///< nullopt: closed
  int exit_status = 0;
  Output output = Output::nothing;
  Json document;        ///< of Output::indented and Output::line
  ExpectedError error;  ///< of Output::error
  std::vector<std::string> stderr_contains;
};

/// Throws std::runtime_error naming the file if it isn't as README.md says.
Case read_case(const std::filesystem::path& file);
/// All case files of a folder, by name.
std::vector<std::filesystem::path> list_cases(const std::filesystem::path& folder);

}  // namespace unicni::golden
