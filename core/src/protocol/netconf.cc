#include "protocol/netconf.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/document.h"
#include "protocol/netconf_document.h"
#include "protocol/result_narrow.h"
#include "protocol/result_parse.h"
#include "protocol/result_print.h"
#include "unicni/error.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;

SpecVersion known_version(const std::string& text) {
  if (const auto version = find_version(text)) return *version;
  throw Error(Code::incompatible_version, fmt::format("unknown cniVersion \"{}\"", text),
              fmt::format("known are {}", list_versions(", ")));
}

/// The object `text` with only its GC lists, or without them; no braces around it.
/// The list of a GC can have a million entries. It stands apart from the rest of the text, so that
/// what is copied and handed on for each plugin stays small.
std::string members_of(std::string_view text, bool lists) {
  std::string members;
  for (const RawMember& member : split_object(text)) {
    const bool is_list = member.key == kValidAttachments || member.key == kAttachments;
    if (is_list != lists) continue;
    if (!members.empty()) members += ',';
    members += member.whole;
  }
  return members;
}

}  // namespace

Netconf::Netconf(std::unique_ptr<Document> document) : document_(std::move(document)) {}
Netconf::Netconf(Netconf&&) noexcept = default;
Netconf& Netconf::operator=(Netconf&&) noexcept = default;
Netconf::~Netconf() = default;

Netconf Netconf::parse(std::string text) {
  constexpr std::string_view what = "the network configuration";
  auto document = std::make_unique<Document>();
  auto lists = std::make_shared<GcLists>();
  Json tree = parse_document(text, what, lists->lists);
  if (!tree.is_object()) {
    throw Error(Code::decode,
                fmt::format("cannot decode {}: it is of type {}", what, kind_of(tree)),
                "one JSON object is expected");
  }
  document->tree = std::make_shared<const Json>(std::move(tree));
  document->request = document->tree;
  document->read_fields(what);
  document->text = std::move(text);
  if (std::any_of(lists->lists.begin(), lists->lists.end(),
                  [](const GcList& list) { return list.given(); })) {
    lists->document = std::exchange(document->text, {});
    document->text = '{' + members_of(lists->document, false) + '}';
    document->lists = std::move(lists);
  }
  return Netconf(std::move(document));
}

const std::string& Netconf::text() const { return document_->text; }
const Json& Netconf::json() const { return *document_->tree; }
const std::string& Netconf::name() const { return document_->name; }
const std::string& Netconf::cni_version() const { return document_->version; }
const std::string& Netconf::type() const { return document_->type; }
const std::string& Netconf::ipam_type() const { return document_->ipam_type; }

bool Netconf::has_untyped_ipam() const {
  const Json* ipam = find_field(*document_->tree, "ipam");
  if (ipam == nullptr || !ipam->is_object() || !document_->ipam_type.empty()) return false;
  const auto& members = ipam->get_ref<const Json::object_t&>();
  return std::any_of(members.begin(), members.end(), [](const auto& member) {
    return !same_letters(member.first, "type") && !member.second.is_null();
  });
}

/// Read leniently and without an option table: core needs it for DEL, when host-local's module may
/// be missing.
std::string Netconf::ipam_data_dir() const {
  const Json* ipam = find_field(*document_->tree, "ipam");
  const Json* folder = ipam == nullptr ? nullptr : find_field(*ipam, "dataDir");
  return folder != nullptr && folder->is_string() ? folder->get<std::string>() : std::string();
}

/// Parsed when it is asked for. DEL of a plugin that doesn't need it goes on where it is malformed.
std::optional<Result> Netconf::prev_result() const {
  if (document_->prev_replaced) return document_->prev;
  const Json* json = find_field(*document_->request, "prevResult");
  if (json == nullptr) return std::nullopt;
  const SpecVersion version = known_version(document_->version);
  const Json* own = find_field(*json, "cniVersion");
  if (own != nullptr && !own->is_string()) refuse("prevResult", "cniVersion", *own, "a string");
  // An empty version means 0.1.0, whose layout the older two versions share and later ones don't
  // (PREV-02).
  if (own != nullptr && own->get_ref<const std::string&>().empty() &&
      result_family(version) != ResultFamily::ip4_ip6) {
    throw Error(Code::decode, "cannot decode prevResult: its cniVersion is empty",
                fmt::format("leave it out or write one of {}", list_versions(", ")));
  }
  return read_result(*json, version);
}

std::optional<ValidAttachments> Netconf::valid_attachments() const {
  if (!document_->lists) return std::nullopt;
  for (const GcList& list : document_->lists->lists) {
    if (list.given()) return list.take();
  }
  return std::nullopt;
}

std::string Netconf::text_for(Command command) const {
  std::string text = document_->text;
  if (command != Command::gc || !document_->lists) return text;
  text.pop_back();
  if (text.size() > 1) text += ',';
  return text + members_of(document_->lists->document, true) + '}';
}

Netconf Netconf::copy() const { return Netconf(std::make_unique<Document>(*document_)); }

/// The text is cut and joined, not printed from the tree, so what the user wrote reaches the next
/// plugin byte for byte.
Netconf Netconf::with_prev_result(const Result* result) const {
  auto copy = std::make_unique<Document>(*document_);
  copy->prev_replaced = true;
  copy->prev.reset();
  std::string text = "{";
  for (const RawMember& member : split_object(document_->text)) {
    if (same_letters(member.key, "prevResult")) continue;
    if (text.size() > 1) text += ',';
    text += member.whole;
  }
  if (result != nullptr) {
    const SpecVersion version = known_version(document_->version);
    copy->prev = narrowed(*result, version);
    if (text.size() > 1) text += ',';
    text += "\"prevResult\":" + print_compact_result(*result, version);
  }
  text += '}';
  copy->text = std::move(text);
  return Netconf(std::move(copy));
}

}  // namespace unicni::protocol
