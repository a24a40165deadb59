// Which options the types have that are installed.
#include <algorithm>
#include <set>

#include "compile/compile.h"
#include "compile/trial_opening.h"
#include "module/loader.h"
#include "module/module_file.h"
#include "unicni/error.h"
#include "unicni/module.h"

namespace unicni::compile {
namespace {

/// Each of the first folder that has it.
std::vector<module::Found> installed(const module::Locations& where) {
  std::vector<module::Found> modules;
  std::set<std::string> seen;
  for (const std::string& folder : where.modules) {
    for (const std::string& name : module::modules_in(folder)) {
      if (!module::valid_module_name(name) || !seen.insert(name).second) continue;
      const auto path = module::find_file(folder, name);
      if (!path) continue;  // removed meanwhile
      module::Found& found = modules.emplace_back();
      found.type = found.module = name;
      found.module_path = *path;
    }
  }
  return modules;
}

}  // namespace

std::vector<document::TypeOptions> installed_types(const module::Locations& where,
                                                   std::vector<std::string>& warnings) {
  std::vector<document::TypeOptions> types;
  const std::vector<module::Found> modules = installed(where);
  const auto deadly = find_deadly(modules, where.executable);
  for (const module::Found& each : modules) {
    try {
      if (const auto found = deadly.find(each.module_path); found != deadly.end()) {
        throw found->second;
      }
      const ModuleDescriptor& found = module::open(each.module, each.module_path, where.executable);
      types.push_back({each.module, found.kind == ModuleKind::ipam, found.options});
    } catch (const Error& error) {
      warnings.push_back(error.msg());
    }
  }
  return types;
}

std::vector<document::TypeOptions> types_of(const document::Document& chain,
                                            const std::vector<document::TypeOptions>& installed,
                                            const module::Locations& where) {
  std::vector<document::TypeOptions> types = installed;
  const document::NamedTypes named = document::types_in(chain);
  const auto add = [&](const std::string& type) {
    const auto is_of = [&](const std::string& name) {
      return std::find_if(installed.begin(), installed.end(),
                          [&](const document::TypeOptions& each) { return each.type == name; });
    };
    if (is_of(type) != installed.end()) return;
    const auto found = module::find_named(type, where);
    const auto served = found ? is_of(found->module) : installed.end();
    if (served != installed.end()) types.push_back({type, served->is_ipam, served->options});
  };
  std::for_each(named.plugins.begin(), named.plugins.end(), add);
  std::for_each(named.ipams.begin(), named.ipams.end(), add);
  return types;
}

}  // namespace unicni::compile
