#include "protocol/list_request.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "protocol/document.h"
#include "protocol/netconf_document.h"
#include "unicni/error.h"

namespace unicni::protocol {
namespace {

constexpr unsigned bits(Command command) { return static_cast<unsigned>(command); }

bool is_of_attachment(Command command) {
  constexpr unsigned kAttachment = bits(Command::add) | bits(Command::check) | bits(Command::del);
  return (kAttachment & bits(command)) != 0;
}

Error unusable_version(const NetworkList& list) {
  return {Code::incompatible_version,
          fmt::format("{}: unknown cniVersion {}", list.source, quote(list.cni_version)),
          fmt::format("known are {}", list_versions(", "))};
}

std::string print_attachments(const ValidAttachments& attachments) {
  std::string text = "[";
  attachments.for_each([&](std::string_view container_id, std::string_view if_name) {
    if (text.size() > 1) text += ',';
    text +=
        fmt::format("{{\"containerID\":{},\"ifname\":{}}}", quote(container_id), quote(if_name));
  });
  return text + ']';
}

}  // namespace

Extent extent_of(const NetworkList& list, Command command) {
  const bool is_known = find_version(list.cni_version).has_value();
  const bool has_newest = at_least(list.cni_version, SpecVersion::v1_1_0).value_or(false);
  switch (command) {
    case Command::add:
      if (!is_known) throw unusable_version(list);
      break;
    case Command::check:
      if (!is_known) throw unusable_version(list);
      if (!*at_least(list.cni_version, SpecVersion::v0_4_0)) {
        throw Error(Code::incompatible_version,
                    fmt::format("{}: configuration version {} does not support the CHECK command",
                                list.source, quote(list.cni_version)),
                    "CHECK came with 0.4.0");
      }
      if (list.disable_check) return Extent::nothing;
      break;
    case Command::del:
      if (!version_parts(list.cni_version)) throw unusable_version(list);
      break;
    case Command::gc:
      if (list.disable_gc) return Extent::nothing;
      if (!has_newest) return Extent::without_plugins;
      break;
    case Command::status:
      if (!has_newest) return Extent::nothing;
      break;
    case Command::version:
      break;
  }
  return Extent::whole;
}

PrevResult prev_result_of(const NetworkList& list, Command command, std::size_t ordinal) {
  const auto version = find_version(list.cni_version);
  if (!version || !is_of_attachment(command)) return PrevResult::none;
  if (command == Command::add) {
    return ordinal == 0 ? PrevResult::none : PrevResult::of_member_before;
  }
  return *version < SpecVersion::v0_4_0 ? PrevResult::none : PrevResult::of_attachment;
}

Netconf make_list_request(const NetworkList& list, Command command, const RequestParts& parts) {
  std::string text = fmt::format(R"({{"cniVersion":{},"name":{},"type":"unicni","plugins":[)",
                                 quote(list.cni_version), quote(list.name));
  for (std::size_t i = 0; i < list.members.size(); ++i) {
    if (i > 0) text += ',';
    text += list.members[i].text;
  }
  text += ']';
  if (is_of_attachment(command) && !parts.capability_args.empty()) {
    const auto given = parse_document(parts.capability_args, "the capability arguments");
    if (!given.is_object()) {
      throw Error(Code::decode,
                  fmt::format("the capability arguments are of type {}", kind_of(given)),
                  "an object is expected, with a capability as each key");
    }
    text += ",\"runtimeConfig\":" + parts.capability_args;
  }
  if (command == Command::gc && parts.valid_attachments) {
    const std::string attachments = print_attachments(*parts.valid_attachments);
    text += fmt::format(",\"{}\":{},\"{}\":{}", kValidAttachments, attachments, kAttachments,
                        attachments);
  }
  return Netconf::parse(text + '}');
}

}  // namespace unicni::protocol
