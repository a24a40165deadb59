// A step: a plugin of the list with its module or program, its parsed options and its IPAM, ready
// to run.
#include "chain/step.h"

#include <fmt/core.h>

#include "base/stretch.h"
#include "unicni/error.h"

namespace unicni::chain {

namespace {

/// Modules see this and never the request: every module gets names and addresses already parsed.
Call make_call(const Request& request, const std::string& type, const protocol::Netconf& netconf,
               std::size_t index, const std::optional<Result>& prev_result) {
  const protocol::Environment& environment = request.environment;
  Call call;
  call.command = request.command;
  call.key.network = netconf.name();
  call.spec_version = netconf.cni_version();
  call.type = type;
  call.key.container_id = environment.container_id;
  call.netns = environment.netns;
  call.key.if_name = environment.if_name;
  try {
    call.args = protocol::parse_args(environment.args);
  } catch (const Error&) {  // refused where a module has options from there
  }
  call.cni_path = environment.path;
  call.step = index;
  call.deadline = request.deadline;
  call.ipam_type = netconf.ipam_type();
  call.prev_result = prev_result;
  if (call.command == Command::gc) call.valid_attachments = netconf.valid_attachments();
  call.trace = environment.trace;
  call.request = netconf.text();
  return call;
}

/// Code and texts are those of the reference's skeleton, which runtimes compare.
void require_spec_version(const ModuleDescriptor& descriptor, const std::string& version) {
  std::string supported;
  for (const char* const* entry = descriptor.spec_versions; *entry != nullptr; ++entry) {
    if (version == *entry) return;
    supported += fmt::format("{}\"{}\"", supported.empty() ? "" : " ", *entry);
  }
  throw Error(Code::incompatible_version, "incompatible CNI versions",
              fmt::format("config is \"{}\", plugin supports [{}]", version, supported));
}

}  // namespace

std::unique_ptr<Step> make_bare_step(const Request& request, const std::string& type,
                                     protocol::Netconf netconf, std::size_t index,
                                     const std::optional<Result>& prev_result) {
  auto step = std::make_unique<Step>(Step{{}, std::move(netconf), {}, {}, {}, {}, {}});
  step->found.type = type;
  step->call = make_call(request, type, step->netconf, index, prev_result);
  return step;
}

std::unique_ptr<Step> make_step(const Request& request, const std::string& type,
                                protocol::Netconf netconf, std::size_t index, bool direct,
                                const std::optional<Result>& prev_result, const Warn& warn) {
  auto step = make_bare_step(request, type, std::move(netconf), index, prev_result);
  const bool is_del = request.command == Command::del;
  try {
    step->found =
        direct ? module::get_named(type, request.where) : module::find_type(type, request.where);
    if (step->found.module_path.empty()) return step;
    const Stretch stretch(request.services.observer, Phase::load,
                          [&] { return step->found.module_path; }, {type, index});
    step->module = request.modules.load(step->found, request.where.executable);
    step->module->observe(request.services.observer, type, index);
  } catch (const Error& error) {
    if (!is_del) throw;
    // The journal still undoes what the module did, and its IPAM can be asked.
    warn(error.msg());
    if (step->call.ipam_type != type) {
      step->ipam = std::make_unique<IpamDelegate>(request, step->call, step->netconf, warn);
    }
    return step;
  }
  const ModuleDescriptor& descriptor = step->module->descriptor();
  require_spec_version(descriptor, step->call.spec_version);
  const bool is_ipam = descriptor.kind == ModuleKind::ipam;
  if (descriptor.options != nullptr) {
    std::vector<std::string> warnings;
    step->options = options::parse(
        *descriptor.options,
        {step->netconf.json(), is_ipam, request.environment.args, step->call.command}, warnings);
    for (const std::string& text : warnings) warn(text);
    step->call.parsed_options = step->options.data();
  }
  // An IPAM module sees the link plugin's configuration; it has no IPAM of its own. Nor has who
  // delegates.
  const bool delegates = step->module->has_trait(Trait::delegates);
  if (is_ipam || delegates) step->call.ipam_type.clear();
  const bool has_ipam = descriptor.kind == ModuleKind::link && !delegates;
  if (request.command == Command::add && has_ipam && step->netconf.has_untyped_ipam()) {
    warn("\"ipam\" has no \"type\": nobody reads its keys, and the container gets no address");
  }
  if (delegates) step->delegate = std::make_unique<PluginDelegate>(request, step->call);
  step->ipam = std::make_unique<IpamDelegate>(request, step->call, step->netconf, warn);
  return step;
}

}  // namespace unicni::chain
