#include "golden_case.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

namespace unicni::golden {
namespace {

void allow_keys(const Json& object, const std::string& what, const std::set<std::string>& allowed) {
  if (!object.is_object()) throw std::runtime_error(what + " is no object");
  for (const auto& [key, value] : object.items()) {
    if (!allowed.contains(key)) throw std::runtime_error(what + " has the unknown key " + key);
  }
}

std::optional<std::string> read_input(const Json& json) {
  const int given = static_cast<int>(json.contains("stdin")) +
                    static_cast<int>(json.contains("stdin_parts")) +
                    static_cast<int>(json.contains("stdin_closed"));
  if (given > 1) throw std::runtime_error("more than one kind of stdin");
  if (json.value("stdin_closed", false)) return std::nullopt;
  if (json.contains("stdin")) {
    const Json& input = json["stdin"];
    return input.is_string() ? input.get<std::string>() : input.dump();
  }
  std::string input;
  for (const Json& part : json.value("stdin_parts", Json::array())) {
    const auto text = part.at(0).get<std::string>();
    for (auto times = part.at(1).get<std::size_t>(); times > 0; --times) input += text;
  }
  return input;
}

ExpectedError read_error(const Json& json) {
  allow_keys(json, "error", {"code", "cniVersion", "msg_contains", "details_contains"});
  ExpectedError error;
  if (json.contains("code")) error.code = json["code"].get<unsigned>();
  if (json.contains("cniVersion")) error.version = json["cniVersion"].get<std::string>();
  error.msg_contains = json.value("msg_contains", error.msg_contains);
  error.details_contains = json.value("details_contains", error.details_contains);
  return error;
}

void read_expectation(Case& result, const Json& json) {
  allow_keys(json, "expect", {"exit", "stdout", "line", "error", "stderr_contains"});
  result.exit_status = json.at("exit").get<int>();
  result.stderr_contains = json.value("stderr_contains", result.stderr_contains);
  const int given = static_cast<int>(json.contains("stdout")) +
                    static_cast<int>(json.contains("line")) +
                    static_cast<int>(json.contains("error"));
  if (given != 1) throw std::runtime_error("expect needs one of stdout, line, error");
  if (json.contains("error")) {
    result.output = Output::error;
    result.error = read_error(json["error"]);
    return;
  }
  result.output = json.contains("line")      ? Output::line
                  : json["stdout"].is_null() ? Output::nothing
                                             : Output::indented;
  result.document = json.contains("line") ? json["line"] : json["stdout"];
}

}  // namespace

Case read_case(const std::filesystem::path& file) try {
  std::ifstream stream(file);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const Json json = Json::parse(text);
  allow_keys(json, "the case",
             {"about", "as", "env", "stdin", "stdin_parts", "stdin_closed", "expect"});
  if (!json.at("about").is_string()) throw std::runtime_error("about is no string");
  Case result;
  result.name = file.stem().string();
  result.as = json.value("as", result.as);
  result.env = json.at("env").get<std::map<std::string, std::string>>();
  result.input = read_input(json);
  read_expectation(result, json.at("expect"));
  return result;
} catch (const std::exception& error) {
  throw std::runtime_error(file.string() + ": " + error.what());
}

std::vector<std::filesystem::path> list_cases(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace unicni::golden
