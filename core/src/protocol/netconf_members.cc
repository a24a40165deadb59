// A list cut into the requests that a runtime would send to its members.
#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "protocol/document.h"
#include "protocol/name.h"
#include "protocol/netconf.h"
#include "protocol/netconf_document.h"
#include "protocol/plugin_fields.h"
#include "unicni/error.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;
using Object = Json::object_t;

constexpr const char* kListAdvice =
    "a configuration of type unicni has \"plugins\": a list of at least one plugin object";

// Of a member's own keys, what the list or the runtime decides.
// As libcni does it: name and version are those of the list, and a plugin gets of runtimeConfig
// only what its capabilities ask for.
bool is_dropped(std::string_view key) {
  return is_written_by_runtime(key) || same_letters(key, "name") ||
         same_letters(key, "cniVersion") || same_letters(key, "capabilities");
}

void append(std::string& text, std::string_view member) {
  if (text.size() > 1) text += ',';
  text += member;
}

// The outer document, cut up once for all members.
struct Outer {
  const Json& tree;
  std::vector<RawMember> members;          // of text
  const Json* runtime = nullptr;           // "runtimeConfig"
  std::vector<RawMember> runtime_members;  // of its text
};

Outer cut(const Json& tree, std::string_view text) {
  Outer outer{tree, split_object(text), find_field(tree, "runtimeConfig"), {}};
  if (outer.runtime != nullptr) {
    outer.runtime_members = split_object(find_raw(outer.members, "runtimeConfig")->value);
  }
  return outer;
}

}  // namespace

std::vector<Netconf> Netconf::members(std::vector<std::string>* warnings) const {
  const Outer outer = cut(*document_->tree, document_->text);
  const Json* plugins = find_exact(outer.tree, "plugins");
  if (plugins == nullptr || !plugins->is_array() || plugins->empty()) {
    throw Error(Code::invalid_config,
                plugins == nullptr    ? std::string("\"plugins\" is missing")
                : plugins->is_array() ? std::string("\"plugins\" is empty")
                                      : fmt::format("\"plugins\" is of type {}", kind_of(*plugins)),
                kListAdvice);
  }
  const auto texts = split_array(find_raw(outer.members, "plugins")->value);

  std::vector<Netconf> members;
  members.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Json& element = (*plugins)[i];
    const std::string where = fmt::format("\"plugins\"[{}]", i);
    if (!element.is_object()) {
      throw Error(Code::invalid_config, fmt::format("{} is of type {}", where, kind_of(element)),
                  kListAdvice);
    }
    Object tree;
    tree.emplace_back("cniVersion", document_->version);
    tree.emplace_back("name", document_->name);
    for (const auto& [key, value] : element.get_ref<const Object&>()) {
      if (!is_dropped(key)) tree.emplace_back(key, value);
    }
    std::string text = fmt::format("{{\"cniVersion\":{},\"name\":{}", quote(document_->version),
                                   quote(document_->name));
    for (const RawMember& member : split_object(texts[i])) {
      if (!is_dropped(member.key)) append(text, member.whole);
      if (warnings != nullptr && is_written_by_runtime(member.key))
        warnings->push_back(not_passed_on(where, member.key));
    }

    Object runtime;
    std::string runtime_text = "{";
    for (const std::string& key : enabled_capabilities(element, where)) {
      const Json* value = outer.runtime == nullptr ? nullptr : find_exact(*outer.runtime, key);
      if (value == nullptr) continue;
      runtime.emplace_back(key, *value);
      append(runtime_text, find_raw(outer.runtime_members, key)->whole);
    }
    if (!runtime.empty()) {
      tree.emplace_back("runtimeConfig", std::move(runtime));
      append(text, "\"runtimeConfig\":" + runtime_text + '}');
    }
    text += '}';

    auto document = std::make_unique<Document>();
    document->text = std::move(text);
    document->tree = std::make_shared<const Json>(std::move(tree));
    document->request = document_->request;
    document->lists = document_->lists;
    document->prev_replaced = true;
    document->read_fields(where);
    require_plugin_type(document->type, where);
    members.push_back(Netconf(std::move(document)));
  }
  return members;
}

std::optional<std::string> Netconf::chain() const {
  const Json* chain = find_field(*document_->tree, "chain");
  if (chain == nullptr) return std::nullopt;
  if (find_field(*document_->tree, "plugins") != nullptr) {
    throw Error(Code::invalid_config, "\"chain\" stands beside \"plugins\"",
                "the plugins are those of the chain: leave one of the two keys out");
  }
  const std::string name = chain->is_string() ? chain->get<std::string>() : std::string();
  if (!chain->is_string() || !valid_name(name)) {
    throw Error(Code::invalid_config, fmt::format("\"chain\": {} names no chain", shown(*chain)),
                "a chain has a name as networks have, and is the file of that name");
  }
  return name;
}

Netconf Netconf::with_plugins(std::string_view array) const {
  std::string text = "{";
  for (const RawMember& member : split_object(document_->text)) {
    const bool is_replaced = same_letters(member.key, "chain") ||
                             same_letters(member.key, "plugins") ||
                             same_letters(member.key, "capabilities");
    if (!is_replaced) append(text, member.whole);
  }
  append(text, fmt::format("\"plugins\":{}}}", array));
  return with_text(std::move(text));
}

Netconf Netconf::with_text(std::string text) const {
  auto copy = std::make_unique<Document>(*document_);
  Netconf parsed = parse(std::move(text));
  copy->text = std::move(parsed.document_->text);
  copy->tree = std::move(parsed.document_->tree);
  copy->read_fields("the network configuration");
  return Netconf(std::move(copy));
}

Netconf Netconf::with_attachments_of(const Netconf& other) const {
  auto copy = std::make_unique<Document>(*document_);
  std::string text = "{";
  for (const RawMember& member : split_object(document_->text)) {
    if (!member.key.starts_with("cni.dev/")) append(text, member.whole);
  }
  copy->text = text + '}';
  copy->lists = other.document_->lists;
  return Netconf(std::move(copy));
}

}  // namespace unicni::protocol
