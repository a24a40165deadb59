#include "unicni/runtime.h"

#include <iterator>
#include <system_error>
#include <utility>

#include "protocol/network_folder.h"
#include "protocol/network_list.h"
#include "runtime/core.h"
#include "runtime/member_look.h"
#include "unicni/errors.h"

namespace unicni {

NetworkConfig::NetworkConfig(std::shared_ptr<const protocol::NetworkList> list)
    : list_(std::move(list)) {}
const std::string& NetworkConfig::name() const { return list_->name; }
const std::string& NetworkConfig::cni_version() const { return list_->cni_version; }
bool NetworkConfig::disable_check() const { return list_->disable_check; }
bool NetworkConfig::disable_gc() const { return list_->disable_gc; }
const std::string& NetworkConfig::text() const { return list_->text; }
const std::string& NetworkConfig::source() const { return list_->source; }
const std::vector<std::string>& NetworkConfig::warnings() const { return list_->warnings; }
std::vector<std::string> NetworkConfig::types() const {
  std::vector<std::string> types;
  for (const auto& member : list_->members) types.push_back(member.type);
  return types;
}

namespace {

using runtime::ListCall;

std::shared_ptr<const protocol::NetworkList> shared_list(protocol::NetworkList list) {
  return std::make_shared<const protocol::NetworkList>(std::move(list));
}

ListCall make_call(const runtime::Shared& shared, const protocol::NetworkList& list,
                   Command command, Deadline deadline, const VerbOptions& options) {
  ListCall call{shared, list, command, deadline};
  call.trace = options.trace;
  return call;
}

ListCall make_call(const runtime::Shared& shared, const protocol::NetworkList& list,
                   Command command, Deadline deadline, const VerbOptions& options,
                   const RuntimeConf& conf) {
  ListCall call = make_call(shared, list, command, deadline, options);
  call.key = {list.name, conf.container_id, conf.if_name};
  call.netns = conf.netns;
  call.args = protocol::format_args(conf.args);
  call.parts.capability_args = conf.capability_args;
  return call;
}

}  // namespace

Runtime::Runtime(RuntimeOptions options) {
  try {
    core_ = std::make_unique<const Core>(std::move(options));
  } catch (const std::system_error& error) {
    throw Error(Code::try_again, error.what(), "the program may have no more threads");
  }
}
Runtime::~Runtime() {
  // Of a copy of the program the end is nobody's business: what it has is the program's.
  if (core_ && !core_->is_of_this_process()) static_cast<void>(core_.release());
}

NetworkConfig Runtime::get_network(const std::string& name) const {
  return NetworkConfig(shared_list(protocol::get_network(core_->options().network_folder, name)));
}

NetworkConfig Runtime::get_network_file(const std::string& path) {
  return NetworkConfig(shared_list(protocol::get_network_file(path)));
}

NetworkConfig Runtime::parse_network(std::string_view text, const std::string& source) {
  protocol::NetworkList list = protocol::parse_network(text, source);
  protocol::require_members(list);
  protocol::require_network_name(list);
  return NetworkConfig(shared_list(std::move(list)));
}

std::vector<NetworkFile> Runtime::list_networks() const {
  std::vector<NetworkFile> files;
  for (auto& entry : protocol::list_networks(core_->options().network_folder)) {
    NetworkFile file{
        std::move(entry.path), {}, std::move(entry.problem), std::move(entry.shadowed_by)};
    if (entry.list) file.network = NetworkConfig(shared_list(*std::move(entry.list)));
    files.push_back(std::move(file));
  }
  return files;
}

AttachResult Runtime::add(const NetworkConfig& network, const RuntimeConf& conf,
                          const VerbOptions& options) const {
  AttachResult result;
  core_->run(options, core_->options().verb_time, [&](Deadline deadline) {
    result = core_->add(
        make_call(core_->shared(), *network.list_, Command::add, deadline, options, conf), conf);
  });
  return result;
}

void Runtime::del(const NetworkConfig& network, const RuntimeConf& conf,
                  const VerbOptions& options) const {
  core_->run(options, core_->options().del_time, [&](Deadline deadline) {
    core_->del(make_call(core_->shared(), *network.list_, Command::del, deadline, options, conf),
               Core::PartOf::nothing);
  });
}

void Runtime::check(const NetworkConfig& network, const RuntimeConf& conf,
                    const VerbOptions& options) const {
  core_->run(options, core_->options().verb_time, [&](Deadline deadline) {
    core_->check(
        make_call(core_->shared(), *network.list_, Command::check, deadline, options, conf),
        options.check_without_result);
  });
}

void Runtime::gc(const NetworkConfig& network, const std::vector<Attachment>& valid,
                 const VerbOptions& options) const {
  core_->run(options, core_->options().verb_time, [&](Deadline deadline) {
    core_->gc(make_call(core_->shared(), *network.list_, Command::gc, deadline, options), valid,
              options.time.value_or(core_->options().del_time));
  });
}

void Runtime::status(const NetworkConfig& network, const VerbOptions& options) const {
  if (extent_of(*network.list_, Command::status) == protocol::Extent::nothing) return;
  core_->run(options, core_->options().verb_time, [&](Deadline deadline) {
    core_->run_plugins(
        make_call(core_->shared(), *network.list_, Command::status, deadline, options));
  });
}

std::vector<std::string> Runtime::supported_versions(const std::string& type,
                                                     const VerbOptions& options) const {
  std::vector<std::string> versions;
  core_->run(options, core_->options().verb_time, [&](Deadline deadline) {
    versions = runtime::ask_versions(core_->shared(), type, deadline, options.trace);
  });
  return versions;
}

std::vector<std::string> Runtime::validate(const NetworkConfig& network,
                                           const VerbOptions& options) const {
  const protocol::NetworkList& list = *network.list_;
  Errors errors;
  errors.attempt([&] { protocol::require_network_name(list); });
  core_->run(options, core_->options().verb_time, [&](Deadline deadline) {
    const ListCall call = make_call(core_->shared(), list, Command::add, deadline, options);
    runtime::MemberLook look(call, errors);
    for (const auto& member : protocol::make_list_request(list, Command::add, {}).members()) {
      look.look(member);
    }
  });
  errors.finish();
  return protocol::enabled_capabilities(list);
}

std::vector<CachedAttachment> Runtime::attachments(const std::string& container_id) const {
  std::vector<CachedAttachment> found;
  for (protocol::CacheFile& file : core_->cache().list(container_id)) {
    if (!file.content.entry || file.content.entry->is_bare_result) continue;
    found.push_back(runtime::cached_attachment(*std::move(file.content.entry)));
  }
  return found;
}

std::optional<CachedAttachment> Runtime::find_attachment(const AttachmentKey& key) const {
  auto content = core_->cache().read(key);
  if (!content) return std::nullopt;
  if (!content->entry) throw Error(*content->problem);
  return runtime::cached_attachment(*std::move(content->entry));
}

std::optional<AttachResult> Runtime::find_result(const NetworkConfig& network,
                                                 const RuntimeConf& conf) const {
  const auto content = core_->cache().read({network.name(), conf.container_id, conf.if_name});
  if (!content) return std::nullopt;
  if (!content->entry) throw Error(*content->problem);
  const auto version = protocol::find_version(network.cni_version()).value_or(protocol::kNewest);
  auto cached = protocol::cached_result(*content->entry, version);
  if (!cached.result) throw Error(*cached.problem);
  return runtime::attach_result(*std::move(cached.result), network.cni_version());
}

}  // namespace unicni
