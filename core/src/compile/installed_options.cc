// Which options the types have that are installed.
#include <algorithm>
#include <set>

#include "compile/compile.h"
#include "module/loader.h"
#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/sys/file.h"

namespace unicni::compile {

std::vector<document::TypeOptions> installed_types(const module::Locations& where,
                                                   std::vector<std::string>& warnings) {
  constexpr std::string_view kSuffix = ".so";
  std::vector<document::TypeOptions> types;
  std::set<std::string> seen;
  for (const std::string& folder : where.modules) {
    std::vector<std::string> files = sys::list_folder(folder);
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      if (!file.ends_with(kSuffix)) continue;
      const std::string name = file.substr(0, file.size() - kSuffix.size());
      if (!module::valid_module_name(name) || !seen.insert(name).second) continue;
      try {
        const ModuleDescriptor& found = module::open(name, folder + '/' + file, where.executable);
        types.push_back({name, found.kind == ModuleKind::ipam, found.options});
      } catch (const Error& error) {
        warnings.push_back(error.msg());
      }
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
