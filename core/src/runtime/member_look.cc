#include "runtime/member_look.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/config_error.h"
#include "chain/chain.h"
#include "chain/delegate.h"
#include "chain/delegate_look.h"
#include "chain/planning.h"
#include "chain/step.h"
#include "chain/verb_host.h"
#include "options/parse.h"
#include "policy/fields.h"
#include "protocol/document.h"
#include "settings/settings.h"
#include "unicni/module.h"

namespace unicni::runtime {
namespace {

/// nullptr: a program.
const ModuleDescriptor* find_module(const Shared& shared, const std::string& type) {
  const module::Found found = module::find_type(type, shared.where);
  if (found.module_path.empty()) return nullptr;
  return &shared.modules.load(found, shared.where.executable).descriptor();
}

void parse_by(const ModuleDescriptor& module, const Shared& shared,
              const protocol::Netconf& netconf, const std::string& type) {
  if (module.options == nullptr) return;
  std::vector<std::string> warnings;
  const bool is_ipam = module.kind == ModuleKind::ipam;
  options::parse(*module.options, {netconf.json(), is_ipam, {}, Command::add}, warnings);
  if (shared.services.log == nullptr) return;
  for (const std::string& text : warnings) {
    shared.services.log->log(LogLevel::warning, type, text);
  }
}

}  // namespace

chain::Request MemberLook::request_of(const protocol::Netconf& netconf) const {
  protocol::Environment environment;
  environment.command = Command::add;
  environment.container_id = "validate";
  environment.if_name = "eth0";
  environment.path = call_.shared.where.cni_path;
  return {Command::add,   std::move(environment), netconf.copy(),
          netconf.type(), call_.shared.where,     call_.shared.environment,
          call_.deadline, call_.shared.services,  call_.shared.modules};
}

void MemberLook::look(const protocol::Netconf& member) {
  const std::string& type = member.type();
  const bool is_there = errors_.attempt_step(type, [&] { require_version(member); });
  const bool has_ipam = member.ipam_type().empty() || errors_.attempt_step(type, [&] {
    static_cast<void>(module::find_type(member.ipam_type(), call_.shared.where));
  });
  if (!is_there || !has_ipam) return;
  errors_.attempt_step(type, [&] {
    if (type == chain::kChainType) {
      look_at_list(member);
    } else {
      look_at_plugin(member);
    }
  });
}

void MemberLook::require_version(const protocol::Netconf& member) const {
  const std::string& version = member.cni_version();
  const auto versions = ask_versions(call_.shared, member.type(), call_.deadline, call_.trace);
  if (std::find(versions.begin(), versions.end(), version) != versions.end()) return;
  std::string supported;
  for (const auto& each : versions) supported += (supported.empty() ? "" : ", ") + each;
  throw Error(Code::incompatible_version, "it doesn't support version " + version,
              "it supports " + supported);
}

void MemberLook::look_at_list(const protocol::Netconf& list) {
  const chain::Request request = request_of(list);
  chain::VerbHost host(request);
  host.enter({list.type()});
  const settings::Settings settings(request.services, request.where, request.process_environment,
                                    request.deadline);
  for (const chain::Member& member : chain::plan(request, settings, host).members) {
    look(member.netconf);
  }
}

void MemberLook::look_at_plugin(const protocol::Netconf& member) {
  const Shared& shared = call_.shared;
  const ModuleDescriptor* const module = find_module(shared, member.type());
  if (module == nullptr) return;
  parse_by(*module, shared, member, member.type());
  if (has_trait(module->traits, Trait::delegates)) {
    look_at_delegate(member);
  } else if (module->kind == ModuleKind::link && !member.ipam_type().empty()) {
    const ModuleDescriptor* const ipam = find_module(shared, member.ipam_type());
    if (ipam != nullptr) parse_by(*ipam, shared, member, member.ipam_type());
  }
}

/// What the module would write for its delegate it may not know yet, as flannel doesn't without
/// flanneld; but the type is known if the user has named it.
void MemberLook::look_at_delegate(const protocol::Netconf& member) {
  const policy::Fields named = policy::Fields(member.text()).section("delegate");
  if (const std::string* type = named.find("type"); type != nullptr && type->starts_with('"')) {
    static_cast<void>(module::find_type(protocol::unquoted(*type), call_.shared.where));
  }
  const chain::Request request = request_of(member);
  std::optional<std::string> config;
  try {
    const auto by = chain::make_step(request, member.type(), member.copy(), 0, false, std::nullopt,
                                     [](const std::string&) {});
    by->module->validate(by->call);
    config = chain::find_delegate_config(request, *by);
  } catch (const Error& error) {
    if (is_of_config(error)) throw;
  }
  if (!config) return;
  const protocol::Netconf delegate = protocol::Netconf::parse(*std::move(config));
  const std::size_t before = errors_.all().size();
  look(delegate);
  if (errors_.all().size() > before) return;
  const auto step = chain::make_step(request, delegate.type(), delegate.copy(), 0, false,
                                     std::nullopt, [](const std::string&) {});
  if (step->module) chain::require_delegate(*step, member.type());
}

}  // namespace unicni::runtime
