#include "options/parse.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "options/cni_args.h"
#include "options/keys.h"
#include "options/reader.h"
#include "protocol/document.h"

namespace unicni::options {
namespace {

using nlohmann::ordered_json;

/// A section of the request: nullptr if it is absent, null, or (DEL) no object.
const ordered_json* find_section(const ordered_json& object, const char* key, const Path& path,
                                 Reader& reader) {
  const ordered_json* section = protocol::find_field(object, key);
  if (section == nullptr || section->is_object()) return section;
  reader.refuse({Code::invalid_config,
                 fmt::format("{}: an object is expected, not {}", path.str(), shown(*section))});
  return nullptr;
}

void read_ipam(const OptionTable& table, const ordered_json& netconf, const Path& root,
               Reader& reader, void* data) {
  const Path path(root, "ipam");
  const ordered_json* ipam = find_section(netconf, "ipam", path, reader);
  if (ipam == nullptr && protocol::find_field(netconf, "ipam") == nullptr) {
    reader.refuse({Code::invalid_config, "IPAM config missing 'ipam' key",
                   "write the IPAM plugin's options into the object \"ipam\""});
  }
  reader.read_rows(table, OptionSource::config, ipam, Neighbours::ipam, path, data);
}

/// Defaults come first, then each source in turn. Sources have rows of their own, so none
/// overwrites another here; which of them wins is decided by the module.
Parsed read(const OptionTable& table, const Input& input, Warnings& warnings) {
  Parsed parsed(table);
  void* data = parsed.data();
  Reader reader(input.command, warnings);
  const Path root;
  set_defaults(table, data);

  if (input.ipam) {
    read_ipam(table, input.netconf, root, reader, data);
  } else {
    reader.read_rows(table, OptionSource::config, &input.netconf, Neighbours::plugin, root, data);
  }
  if (has_rows(table, OptionSource::runtime_config)) {
    const Path path(root, "runtimeConfig");
    const ordered_json* section = find_section(input.netconf, "runtimeConfig", path, reader);
    reader.read_rows(table, OptionSource::runtime_config, section, Neighbours::many, path, data);
  }
  if (has_rows(table, OptionSource::args_cni)) {
    const Path args(root, "args");
    const Path path(args, "cni");
    const ordered_json* outer = find_section(input.netconf, "args", args, reader);
    const ordered_json* section =
        outer == nullptr ? nullptr : find_section(*outer, "cni", path, reader);
    reader.read_rows(table, OptionSource::args_cni, section, Neighbours::many, path, data);
  }
  if (reads_cni_args(table)) read_cni_args(table, input.args, reader, data);
  return parsed;
}

}  // namespace

Parsed parse(const OptionTable& table, const Input& input, std::vector<std::string>& warnings) {
  Warnings found;
  Parsed parsed = read(table, input, found);
  for (std::string& text : found.take()) warnings.push_back(std::move(text));
  return parsed;
}

}  // namespace unicni::options
