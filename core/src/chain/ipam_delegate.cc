#include "chain/ipam_delegate.h"

#include <fmt/core.h>

#include "base/stretch.h"
#include "chain/foreign.h"
#include "protocol/plugin_fields.h"
#include "unicni/error.h"
#include "unicni/undo/delegate.h"
#include "unicni/undo/lease.h"

namespace unicni::chain {

namespace {

constexpr std::string_view kHostLocal = "host-local";

}  // namespace

IpamDelegate::IpamDelegate(const Request& request, const Call& call,
                           const protocol::Netconf& netconf, const Warn& warn)
    : request_(request), call_(call), data_dir_(netconf.ipam_data_dir()) {
  if (!given()) return;
  if (call_.command == Command::gc) gc_netconf_ = netconf.copy();
  try {
    module::require_valid_type(call_.ipam_type);
    found_ = module::find_type(call_.ipam_type, request.where);
    call_.type = found_.type;
    if (found_.module_path.empty()) {
      look_at_namesake(warn);
      return;
    }
    const Stretch stretch(request.services.observer, Phase::load,
                          [&] { return found_.module_path; }, {call.type, call.step});
    module_ = request.modules.load(found_, request.where.executable);
    module_->observe(request.services.observer, call.type, call.step);
  } catch (const Error& error) {
    // DEL must release what it can. host-local's files are known, so they can be released without
    // the module.
    if (call_.command != Command::del) throw;
    missing_ = error;
    warn(error.msg());
    return;
  }
  if (module_->descriptor().kind != ModuleKind::ipam) {
    throw Error(Code::invalid_config,
                fmt::format("ipam.type: {} is no IPAM plugin", call_.ipam_type),
                "use host-local, static, or the name of an IPAM plugin in CNI_PATH");
  }
  if (const OptionTable* table = module_->descriptor().options) {
    std::vector<std::string> warnings;
    options_ = options::parse(
        *table, {netconf.json(), true, request.environment.args, call_.command}, warnings);
    for (const std::string& text : warnings) warn(text);
    call_.parsed_options = options_.data();
  }
}

void IpamDelegate::validate() {
  if (module_) module_->validate(call_);
}

bool IpamDelegate::needs_link() const {
  return module_ ? module_->has_trait(Trait::needs_link) : program_needs_link_;
}

/// Of a program only the name is known. One that stands in the place of a module of ours does the
/// same work, so it needs what the module says that it needs.
void IpamDelegate::look_at_namesake(const Warn& warn) {
  const auto namesake = module::find_named(found_.type, request_.where);
  if (!namesake) return;
  try {
    const auto module = request_.modules.load(*namesake, request_.where.executable);
    program_needs_link_ = module.has_trait(Trait::needs_link);
  } catch (const Error& error) {
    warn(fmt::format("whether the program {} needs the interface is not known: {}", found_.program,
                     error.msg()));
  }
}

bool IpamDelegate::with_files(const std::function<void(ipam::Store&)>& work) const {
  // Also for the reference's program, which keeps the same files.
  if (call_.ipam_type != kHostLocal && found_.module != kHostLocal) return false;
  const std::string folder =
      data_dir_.empty() ? request_.services.folders.reservations() : data_dir_;
  // No ADD can have used such a one.
  if (!folder.starts_with('/') || folder.find('\0') != std::string::npos) return false;
  ipam::Store store(folder, call_.key.network, call_.deadline, false);
  if (store.exists()) work(store);
  return true;
}

std::optional<std::vector<IpAddress>> IpamDelegate::held() {
  std::vector<IpAddress> addresses;
  const bool known =
      with_files([&](ipam::Store& store) { addresses = store.find(call_.key.of_network()); });
  if (known) return addresses;
  if (!module_ || !needs_link()) return std::nullopt;
  for (const IpNet& leased : find_leased_addresses(lease())) addresses.push_back(leased.address());
  return addresses;
}

RenewedLease IpamDelegate::renewed() {
  return module_ && needs_link() ? find_renewed(lease()) : RenewedLease();
}

std::string IpamDelegate::lease() const {
  return lease_file(lease_folder(request_.services.folders), call_.key);
}

void IpamDelegate::require_given() const {
  if (!given())
    throw Error(Code::invalid_config, "\"ipam\" has no \"type\"",
                "set \"type\" in \"ipam\" to an IPAM plugin, such as \"host-local\"");
  if (missing_) throw Error(*missing_);
}

/// GC of an IPAM gets the list of valid attachments, all others the request as it came.
void IpamDelegate::run_program(Command command) {
  try {
    run_foreign(request_, found_.program, command,
                gc_netconf_ ? gc_netconf_->text_for(command) : call_.request, call_.step);
  } catch (Error& error) {
    throw error.in_step(found_.type);
  }
}

Result IpamDelegate::add() {
  require_given();
  if (module_) return module_->add(call_, *host_);
  host_->undo().announce(undo_delegate(found_.type, found_.program, call_.request));
  try {
    return add_foreign(request_, found_.program, call_.request, call_.spec_version, call_.step);
  } catch (Error& error) {
    throw error.in_step(found_.type);
  }
}

/// What the undo log has asked of the program isn't asked again. Without a record the journal knows
/// of no ADD of it.
void IpamDelegate::del() {
  if (asked_ && !module_) return asked_->rethrow();
  const auto release = [this](ipam::Store& store) { store.release(call_.key.of_network()); };
  if (missing_ && with_files(release)) return;
  const bool is_absent = missing_ && found_.type.empty();
  // No ADD was ever made with a type that can't be one; that was said when it was looked for.
  if (is_absent && !protocol::is_plugin_type(call_.ipam_type)) return;
  if (!is_absent) require_given();
  if (module_) {
    module_->del(call_, *host_);
    return;
  }
  try {
    del_foreign(request_, *host_,
                {call_.ipam_type, {}, call_.request, call_.key, false, call_.step});
  } catch (Error& error) {
    throw error.in_step(call_.ipam_type);
  }
}

void IpamDelegate::check() {
  require_given();
  if (module_) {
    module_->check(call_, *host_);
  } else {
    run_program(Command::check);
  }
}

void IpamDelegate::gc() {
  require_given();
  if (module_) {
    module_->gc(call_, *host_);
  } else {
    run_program(Command::gc);
  }
}

void IpamDelegate::status() {
  require_given();
  if (module_) {
    module_->status(call_, *host_);
  } else {
    run_program(Command::status);
  }
}

}  // namespace unicni::chain
