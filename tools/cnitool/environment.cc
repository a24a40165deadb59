#include "environment.h"

#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "unicni/error.h"
#include "unicni/json_object.h"
#include "unicni/sha512.h"

namespace unicni::cnitool {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The pieces between the separators; none of an empty text.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
    if (text.empty()) pieces.push_back(text);
  }
  return pieces;
}

}  // namespace

std::string absolute(const std::string& path) {
  std::string text = (std::filesystem::current_path() / path).lexically_normal();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

std::string container_id_of(const std::string& netns) {
  constexpr std::size_t kDigits = 20;
  return "cnitool-" + sha512_hex(absolute(netns)).substr(0, kDigits);
}

std::string network_folder() {
  const std::string folder = variable("NETCONFPATH");
  return folder.empty() ? RuntimeOptions().network_folder : absolute(folder);
}

std::vector<std::string> plugin_folders() {
  const std::string path = variable("CNI_PATH");
  std::vector<std::string> folders;
  for (const std::string_view folder : split(path, ':')) {
    if (!folder.empty()) folders.push_back(absolute(std::string(folder)));
  }
  return folders;
}

std::string capability_args() {
  std::string text = variable("CAP_ARGS");
  if (text.empty() || JsonObject::parse(text)) return text;
  throw Error(Code::invalid_environment, fmt::format("CAP_ARGS is no JSON object: {}", text),
              R"(it has a capability as each key, as in {"portMappings": [ ... ]})");
}

RuntimePairs args() {
  const std::string text = variable("CNI_ARGS");
  RuntimePairs pairs;
  for (const std::string_view piece : split(text, ';')) {
    const auto parts = split(piece, '=');
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
      throw Error(Code::invalid_environment, fmt::format("invalid CNI_ARGS pair \"{}\"", piece),
                  "write K=V;K=V, with something on both sides of each =");
    }
    pairs.emplace_back(parts[0], parts[1]);
  }
  return pairs;
}

std::string if_name(const std::string& given) {
  if (!given.empty()) return given;
  const std::string name = variable("CNI_IFNAME");
  return name.empty() ? "eth0" : name;
}

}  // namespace unicni::cnitool
