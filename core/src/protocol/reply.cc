#include "protocol/reply.h"

#include <fmt/core.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "protocol/document.h"
#include "protocol/version.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kIndent = 4;
constexpr std::string_view kReference = "v1.9.1";  // the plugins whose behaviour is ours
constexpr std::size_t kQuoteLimit = 1024;          // bytes of a delegate's output in a message

/// Wording of libcni, which runtimes know; what the program wrote to stderr mostly says more than
/// its output.
Error unparsable(std::string_view out, std::string_view stderr_tail, const Ending& ending,
                 std::string_view why) {
  std::string details(trimmed(stderr_tail));
  return Error(ending.code,
               fmt::format("netplugin failed ({}) but error parsing its diagnostic message {}: {}",
                           ending.reason, quote(out.substr(0, kQuoteLimit)), why),
               details.empty() ? std::string() : "its stderr: " + details);
}

Error silent(std::string_view stderr_tail, const Ending& ending) {
  const std::string_view text = trimmed(stderr_tail);
  if (text.empty()) {
    return Error(ending.code,
                 fmt::format("netplugin failed with no error message: {}", ending.reason));
  }
  return Error(ending.code, fmt::format("netplugin failed ({}): {}", ending.reason, quote(text)));
}

std::vector<std::string_view> entries(const char* const* supported) {
  if (supported == nullptr) return {kSpecVersions.begin(), kSpecVersions.end()};
  std::vector<std::string_view> list;
  for (; *supported != nullptr; ++supported) list.emplace_back(*supported);
  return list;
}

}  // namespace

/// Messages quote what others wrote, however long. Journals and logs of runtimes have limits of
/// their own.
std::string bounded(std::string_view text) {
  constexpr std::size_t kMost = 4000;
  if (text.size() <= kMost) return std::string(text);
  return fmt::format("{}… ({} bytes more)", text.substr(0, kMost), text.size() - kMost);
}

/// Bytes that aren't UTF-8 (in names of files and links) are replaced, as JSON can't have them.
std::string print_error(const Error& error, std::string_view version) {
  Json json = Json::object();
  json["cniVersion"] = version;
  json["code"] = error.code();
  json["msg"] = bounded(error.msg());
  if (!error.details().empty()) json["details"] = bounded(error.details());
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace);
}

/// What a plugin printed that ended with a status other than 0. By the spec it is an error object;
/// by experience it may be anything, or nothing.
Error parse_error(std::string_view out, std::string_view stderr_tail, const Ending& ending) {
  if (trimmed(out).empty()) return silent(stderr_tail, ending);
  Json json;
  try {
    json = parse_document(out, "it");
  } catch (const Error& error) {
    return unparsable(out, stderr_tail, ending, error.msg());
  }
  if (!json.is_object()) return unparsable(out, stderr_tail, ending, "it is no object");

  const Json* code = find_field(json, "code");
  if (code != nullptr && (!code->is_number_unsigned() ||
                          code->get<std::uint64_t>() > std::numeric_limits<unsigned>::max())) {
    return unparsable(out, stderr_tail, ending, "its code is no number from 0 up");
  }
  const auto text_of = [&](const char* key) -> std::pair<bool, std::string> {
    const Json* value = find_field(json, key);
    if (value == nullptr) return {true, {}};
    if (!value->is_string()) return {false, {}};
    return {true, value->get<std::string>()};
  };
  auto [msg_readable, msg] = text_of("msg");
  auto [details_readable, details] = text_of("details");
  if (!msg_readable || !details_readable) {
    return unparsable(out, stderr_tail, ending, "its msg or details is no string");
  }
  if (msg.empty()) msg = silent(stderr_tail, ending).msg();
  return Error(code == nullptr ? static_cast<unsigned>(ending.code) : code->get<unsigned>(),
               std::move(msg), std::move(details));
}

std::string print_version(std::string_view stdin_text, const char* const* supported) {
  const auto list = entries(supported);
  std::string_view version = list.empty() ? version_text(kNewest) : list.back();
  // Whatever else stands there is no reason to fail (VERN-03).
  try {
    const Json json = parse_document(stdin_text, "stdin");
    const Json* given = find_field(json, "cniVersion");
    if (given != nullptr && given->is_string()) {
      const auto known = find_version(given->get_ref<const std::string&>());
      if (known) version = version_text(*known);
    }
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch)
  }
  Json json = Json::object();
  json["cniVersion"] = version;
  json["supportedVersions"] = list;
  return json.dump() + '\n';
}

/// Nomad and nerdctl read the first line. It has the version of the reference whose behaviour this
/// is, not our own.
std::string print_about(std::string_view type, const char* const* supported,
                        std::string_view version) {
  std::string versions;
  for (const std::string_view entry : entries(supported)) {
    versions += fmt::format("{}{}", versions.empty() ? "" : ", ", entry);
  }
  const std::string own =
      version == UNICNI_VERSION ? std::string() : fmt::format(", {} {}", type, version);
  return fmt::format("CNI {} plugin {}\nCNI protocol versions supported: {}\nunicni {}{}\n", type,
                     kReference, versions, UNICNI_VERSION, own);
}

}  // namespace unicni::protocol
