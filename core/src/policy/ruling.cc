#include "policy/ruling.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "options/keys.h"
#include "policy/glob.h"
#include "policy/limits.h"
#include "policy/matching.h"
#include "policy/places.h"
#include "policy/rates.h"
#include "protocol/document.h"
#include "protocol/request.h"
#include "unicni/error.h"

namespace unicni::policy {
namespace {

void require_server(const ModuleRules& modules, const Server& server) {
  if (server.type.empty()) return;
  const auto refuse = [&](const std::string& why) {
    throw Error(Code::policy_violated,
                fmt::format("{}: modules: type {} {}", modules.place.str(), server.type, why),
                "ask who keeps this host's policies, or use a plugin that they allow");
  };
  const bool is_listed = modules.allow && matches_any(*modules.allow, server.resolved);
  if (matches_any(modules.deny, server.resolved) || matches_any(modules.deny, server.type)) {
    refuse("is denied");
  }
  if (modules.allow && !is_listed) refuse("is not allowed");
  if (!server.is_program || modules.exec == Exec::fallback) return;
  if (modules.exec == Exec::never) refuse("is a program of another maker, and none may be run");
  if (!is_listed) refuse("is a program of another maker that \"allow\" doesn't list");
}

/// Rules look at the key that counts for our modules: the exact one, else the last. Go's decoder
/// takes the last one, whatever its letters, others may take the first. So nobody knows which IPAM
/// a program would run.
void require_one_ipam(const Member& member) {
  if (!member.plugin.is_program && !member.ipam.is_program) return;
  const Fields config(member.config);
  const auto sections = config.find_all("ipam");
  const auto refuse = [&](std::string_view key) {
    throw Error(Code::policy_violated,
                fmt::format("{}: \"{}\" stands more than once in the configuration, if letter case "
                            "is passed over, and programs of other makers differ in which one they "
                            "take",
                            member.plugin.type, key),
                "leave one of them");
  };
  if (sections.size() > 1) refuse("ipam");
  for (const std::string_view section : sections) {
    if (const Fields ipam(section); ipam.find_all("type").size() > 1) refuse("ipam.type");
  }
}

/// A value for one plugin, or for its IPAM, whose options stand in "ipam".
class Target {
 public:
  Target(Member& member, bool is_ipam, const Facts& facts)
      : member_(member),
        facts_(facts),
        server_(is_ipam ? member.ipam : member.plugin),
        inner_(is_ipam || member.is_ipam) {}

  void set(const Rule& rule, const Value& value, Effect effect);

 private:
  [[nodiscard]] const char* spelling(const Rule& rule, const Value& value) const;
  [[nodiscard]] bool is_in_args(std::string_view key) const;
  void replace_elsewhere(Fields& config, const std::string& key, const std::string& json) const;

  Member& member_;
  const Facts& facts_;
  const Server& server_;
  bool inner_;
};

/// The key as the module has it. What no table describes is written as the policy has it.
const char* Target::spelling(const Rule& rule, const Value& value) const {
  if (server_.options == nullptr) return value.key.c_str();
  const Option* row = options::find_row(*server_.options, OptionSource::config, value.key);
  if (row != nullptr) return row->key;
  if (server_.is_program) return value.key.c_str();
  const std::string hint =
      options::hint_for(value.key, *server_.options, OptionSource::config,
                        inner_ ? options::Neighbours::ipam : options::Neighbours::none);
  throw Error(Code::policy_unreadable,
              fmt::format("{}: {} has no option \"{}\"{}{}", rule.title(value.place),
                          server_.resolved, value.key, hint.empty() ? "" : "; ", hint),
              "name in \"match\" the \"type\" that has this option");
}

/// Whether the module would take the option from CNI_ARGS, which beats the configuration.
bool Target::is_in_args(std::string_view key) const {
  if (find_row(server_, OptionSource::cni_args, key) == nullptr) return false;
  try {
    const auto args = protocol::parse_args(facts_.args);
    return std::any_of(args.begin(), args.end(),
                       [&](const auto& pair) { return protocol::same_letters(pair.first, key); });
  } catch (const Error&) {
    return true;  // the module refuses them
  }
}

/// What beats the configuration in the module: the same key from the runtime, from args and, unless
/// the runtime's beats that, from CNI_ARGS.
void Target::replace_elsewhere(Fields& config, const std::string& key,
                               const std::string& json) const {
  const bool is_in_args = this->is_in_args(key);
  Fields runtime = config.section("runtimeConfig");
  const bool has_runtime_option = find_row(server_, OptionSource::runtime_config, key) != nullptr;
  if (!runtime.find_all(key).empty() || (is_in_args && has_runtime_option)) {
    runtime.set(key, json);
    config.set("runtimeConfig", runtime.str());
  } else if (is_in_args) {
    throw Error(Code::policy_violated,
                fmt::format("CNI_ARGS set {} of {}, which a policy sets", key, server_.type),
                "leave it out of CNI_ARGS");
  }
  Fields args = config.section("args");
  Fields cni = args.section("cni");
  if (cni.find_all(key).empty()) return;
  cni.set(key, json);
  args.set("cni", cni.str());
  config.set("args", args.str());
}

void Target::set(const Rule& rule, const Value& value, Effect effect) {
  const std::string key = spelling(rule, value);
  const std::string& json = value.json_for(server_.resolved);
  Fields config(member_.config);
  Fields own = inner_ ? config.section("ipam") : config;
  const bool is_default = effect == Effect::default_;
  if (!inner_ && is_rate_key(server_.resolved, key)) {
    take_runtime_rates(own);
    if (is_default && is_silenced(rule.defaults, own, key)) return;
    if (!is_default) drop_burst(rule.overrides, own, key);
  }
  if (is_default && own.find(key) != nullptr) return;
  own.set(key, json);
  if (!is_default && !inner_) replace_elsewhere(own, key, json);
  if (inner_) {
    config.set("ipam", own.str());
  } else {
    config = std::move(own);
  }
  member_.config = config.str();
  member_.changes.push_back({effect, server_.resolved, key, json, rule.name, value.place});
}

/// The members that a rule's defaults and overrides reach.
template <class F>
void each_target(const Rule& rule, std::span<Member> members, const Facts& facts, F each) {
  for (Member& member : members) {
    if (!rule.match.type) {
      if (member.makes_interface) each(Target(member, false, facts));
      continue;
    }
    if (!member.plugin.type.empty() && matches_any(*rule.match.type, member.plugin.resolved)) {
      each(Target(member, false, facts));
    }
    if (!member.ipam.type.empty() && matches_any(*rule.match.type, member.ipam.resolved)) {
      each(Target(member, true, facts));
    }
  }
}

}  // namespace

Change Ruling::Added::change(const std::string& type) const {
  return {Effect::added, type, {}, addition->json, rule->name, addition->place};
}

Ruling::Ruling(const Policy& policy, const Facts& facts, std::span<const Member> members)
    : policy_(policy), facts_(facts) {
  require_modules(members);
  std::vector<const Member*> all;
  for (const Member& member : members) all.push_back(&member);
  match(all);
}

Ruling::Ruling(const Ruling& of_list, const Member& delegate)
    : policy_(of_list.policy_), facts_(of_list.facts_) {
  require_modules({&delegate, 1});
  match({&delegate});
  for (const Rule* rule : of_list.rules_) {
    if (std::find(rules_.begin(), rules_.end(), rule) == rules_.end()) rules_.push_back(rule);
  }
  std::sort(rules_.begin(), rules_.end());  // elements of one vector: their order in the files
}

void Ruling::require_modules(std::span<const Member> members) const {
  for (const ModuleRules& modules : policy_.modules) {
    for (const Member& member : members) {
      require_server(modules, member.plugin);
      require_server(modules, member.ipam);
    }
  }
  for (const Member& member : members) require_one_ipam(member);
}

void Ruling::match(const std::vector<const Member*>& members) {
  for (const Rule& rule : policy_.rules) {
    if (!matches(rule, facts_, members)) continue;
    if (rule.deny) {
      throw Error(Code::policy_violated, fmt::format("{}: {}", rule.title(rule.place), *rule.deny),
                  "ask who keeps this host's policies");
    }
    rules_.push_back(&rule);
  }
}

/// The first default wins, as the second finds the key; so does the last override.
void Ruling::change(std::span<Member> members) const {
  for (const Effect effect : {Effect::default_, Effect::override_}) {
    for (const Rule* rule : rules_) {
      const auto& values = effect == Effect::default_ ? rule->defaults : rule->overrides;
      each_target(*rule, members, facts_, [&](Target target) {
        for (const Value& value : values) target.set(*rule, value, effect);
      });
    }
  }
}

std::vector<Ruling::Added> Ruling::prepended() const {
  std::vector<Added> added;
  for (const Rule* rule : rules_) {
    for (const Addition& each : rule->prepended) added.push_back({rule, &each});
  }
  return added;
}

std::vector<Ruling::Added> Ruling::appended() const {
  std::vector<Added> added;
  for (const Rule* rule : rules_) {
    for (const Addition& each : rule->appended) added.push_back({rule, &each});
  }
  return added;
}

bool Ruling::asks_host_links() const {
  return std::any_of(rules_.begin(), rules_.end(), [](const Rule* rule) {
    return std::any_of(rule->limits.begin(), rule->limits.end(), [](const Limit& limit) {
      return protocol::same_letters(limit.key, "master") ||
             protocol::same_letters(limit.key, "mtu");
    });
  });
}

void Ruling::require(std::span<const Member> members, bool is_whole) const {
  for (const Rule* rule : rules_) {
    for (const Limit& limit : rule->limits) {
      if (is_rate(limit.key)) {
        if (is_whole) require_rate(*rule, limit, members);
      } else {
        for (const Member& member : members) require_limit(*rule, limit, member, facts_);
      }
    }
  }
}

}  // namespace unicni::policy
