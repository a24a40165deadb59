#include "policy/facts.h"

#include <fmt/core.h>

#include "policy/fields.h"
#include "protocol/document.h"
#include "protocol/request.h"
#include "unicni/error.h"

namespace unicni::policy {
namespace {

bool is_string(std::string_view json) { return protocol::trimmed(json).starts_with('"'); }

/// Another letter case is no absence: nobody writes it but to be overlooked.
Claim claim_of(const std::vector<std::pair<std::string, std::string>>& args, std::string_view key) {
  Claim claim;
  int count = 0;
  for (const auto& [name, value] : args) {
    if (!protocol::same_letters(name, key)) continue;
    if (name != key)
      claim.garbage = fmt::format("CNI_ARGS has {} for {}", protocol::quote(name), key);
    if (++count > 1) claim.garbage = fmt::format("CNI_ARGS has {} twice", key);
    claim.value = value;
  }
  return claim;
}

class Labels {
 public:
  explicit Labels(Facts& facts) : facts_(facts) {}

  void read(const Fields& config) {
    for (const std::string_view args : config.find_all("args")) {
      const Fields fields(args);
      const Fields cni = fields.section("cni");
      const std::string* labels = cni.find("labels");
      if (labels == nullptr) labels = fields.find("labels");
      if (labels != nullptr) add_all(*labels);
    }
  }

 private:
  void add_all(std::string_view json) {
    json = protocol::trimmed(json);
    if (json.starts_with('{')) {
      for (const auto& [key, value] : Fields(json).members()) add(key, value);
    } else if (json.starts_with('[')) {
      for (const std::string_view element : protocol::split_array(json)) add_pair(Fields(element));
    } else {
      refuse("labels are no object and no list");
    }
  }
  void add_pair(const Fields& pair) {
    const std::string* key = pair.find("key");
    const std::string* value = pair.find("value");
    if (key == nullptr || !is_string(*key) || value == nullptr) {
      refuse("a label is no {key, value}");
    } else {
      add(protocol::unquoted(*key), *value);
    }
  }
  void add(const std::string& key, std::string_view json) {
    if (!is_string(json)) return refuse(fmt::format("label {} is no string", protocol::quote(key)));
    std::string value = protocol::unquoted(protocol::trimmed(json));
    const auto [known, is_new] = facts_.labels.try_emplace(key, Claim{value, {}});
    if (!is_new && known->second.value != value) {
      known->second.garbage = fmt::format("label {} has two values", protocol::quote(key));
    }
  }
  void refuse(std::string why) { facts_.labels_garbage = std::move(why); }

  Facts& facts_;
};

}  // namespace

Claim Facts::label(std::string_view key) const {
  if (!labels_garbage.empty()) return {{}, labels_garbage};
  const auto found = labels.find(key);
  return found == labels.end() ? Claim() : found->second;
}

Facts make_facts(std::string network, std::string if_name, std::string args,
                 std::span<const std::string_view> configs) {
  Facts facts{std::move(network), std::move(if_name), std::move(args), {}, {}, {}, {}, {}, {}};
  try {
    const auto pairs = protocol::parse_args(facts.args);
    facts.namespace_ = claim_of(pairs, "K8S_POD_NAMESPACE");
    facts.pod = claim_of(pairs, "K8S_POD_NAME");
  } catch (const Error& error) {
    facts.namespace_.garbage = facts.pod.garbage = "CNI_ARGS can't be read: " + error.msg();
  }
  Labels labels(facts);
  for (const std::string_view config : configs) labels.read(Fields(config));
  return facts;
}

}  // namespace unicni::policy
