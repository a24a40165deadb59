#include "runtime/options_look.h"

#include <string>
#include <vector>

#include "chain/chain.h"
#include "options/parse.h"
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

void look_at_options(const Shared& shared, const protocol::Netconf& member) {
  if (member.type() == chain::kChainType) return;
  const ModuleDescriptor* const module = find_module(shared, member.type());
  if (module == nullptr) return;
  parse_by(*module, shared, member, member.type());
  const bool has_ipam =
      module->kind == ModuleKind::link && !has_trait(module->traits, Trait::delegates);
  if (!has_ipam || member.ipam_type().empty()) return;
  const ModuleDescriptor* const ipam = find_module(shared, member.ipam_type());
  if (ipam != nullptr) parse_by(*ipam, shared, member, member.ipam_type());
}

}  // namespace unicni::runtime
