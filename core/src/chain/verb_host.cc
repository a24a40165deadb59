#include "chain/verb_host.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "attachments/liveness.h"
#include "protocol/reply.h"
#include "unicni/error.h"

namespace unicni::chain {

namespace {

std::string own_netns_text(const std::string& path) {
  return fmt::format("CNI_NETNS {} is the plugin's own network namespace", path);
}

Services with_observer(Services services, Observer& observer) {
  if (services.observer != nullptr) services.observer = &observer;
  return services;
}

Error own_netns(const std::string& path) {
  return {Code::invalid_netns, own_netns_text(path),
          "set CNI_NETNS to a network namespace of the container's own"};
}

}  // namespace

void JournalLock::record_delegate(const std::string& /*config*/) {}

/// Only ADD and CHECK say whose attachment this is: of that one the namespace is known to exist, as
/// it was opened. For DEL and GC it is a question like any other.
VerbHost::VerbHost(const Request& request)
    : request_(request),
      observer_(*this, request.services.observer),
      services_(with_observer(request.services, observer_)),
      netns_path_(request.environment.netns),
      remembered_(*this, services_.folders.journals(), request.environment.container_id),
      attachments_(*this,
                   request.command == Command::add || request.command == Command::check
                       ? std::optional(request.key())
                       : std::nullopt,
                   request.services.folders) {}

/// Two stat(2), before anything is opened. A runtime that passes the host's own namespace would
/// have its links configured as a container's.
void VerbHost::refuse_own_netns() const {
  const std::string& path = request_.environment.netns;
  struct stat theirs {};
  struct stat ours {};
  if (request_.environment.netns_override || ::stat(path.c_str(), &theirs) != 0 ||
      ::stat("/proc/thread-self/ns/net", &ours) != 0) {
    return;
  }
  if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino) throw own_netns(path);
}

/// Verbs that take something away must do without a namespace: it may have ended long ago. So must
/// an undo step that visits the namespace that its ADD saw.
bool VerbHost::tolerant() const {
  const Command command = request_.command;
  return !visited_.empty() || (command != Command::add && command != Command::check);
}

/// Opened when first used: a verb that never touches the host's links has no socket for them.
net::Netlink& VerbHost::host_links() {
  if (!host_links_) host_links_.emplace(services_);
  return *host_links_;
}

const net::Netns& VerbHost::host_netns() {
  if (!host_netns_) host_netns_.emplace(net::Netns::current());
  return *host_netns_;
}

void VerbHost::open_container() {
  if (container_opened_) return;
  container_opened_ = true;
  const std::string& path = netns_path_;
  try {
    container_netns_ = net::Netns::open(path);
  } catch (const Error& error) {
    if (!tolerant() || !error.is(Code::invalid_netns)) throw;
    log(LogLevel::warning, error.msg());
  }
  if (!container_netns_) {
    if (tolerant()) return;
    throw Error(Code::invalid_netns, fmt::format("CNI_NETNS {} does not exist", path),
                "the runtime must create the network namespace before it calls ADD");
  }
  if (container_netns_->same_as(host_netns()) && !request_.environment.netns_override) {
    container_netns_.reset();
    if (!tolerant()) throw own_netns(path);
    // The path of an earlier ADD may lead anywhere by now, here as well as to another container.
    if (visited_.empty()) {
      log(LogLevel::warning, own_netns_text(path) + ": nothing is touched there");
    }
  }
  if (container_netns_ && !visited_.empty()) require_visited();
}

/// A step is undone in the namespace that its ADD saw, which need not be that of the request. The
/// path may lead to another namespace by now, so its identity is compared once it is open.
void VerbHost::visit_container(const std::string& path, const std::string& identity) {
  container_links_.reset();
  container_netns_.reset();
  netns_path_ = path;
  visited_ = identity;
  container_opened_ = path.empty() || identity.empty();
}

/// The records are replayed. If the namespace of the request isn't that of the attachment, nobody
/// opens it any more.
void VerbHost::leave_container(bool is_ours) {
  visit_container({}, {});
  netns_path_ = request_.environment.netns;
  container_opened_ = !is_ours;
}

const net::Netns* VerbHost::container_netns() {
  open_container();
  return container_netns_ ? &*container_netns_ : nullptr;
}

net::Netlink& VerbHost::container_links() {
  if (!container_links_) {
    const net::Netns* netns = container_netns();
    if (netns == nullptr) {
      throw Error(Code::invalid_netns, "the container's network namespace is gone");
    }
    container_links_.emplace(*netns, host_netns(), services_);
  }
  return *container_links_;
}

std::string VerbHost::container_identity() {
  return container_netns() == nullptr ? std::string() : container_links().identity();
}

/// For questions that have a sense without a namespace ("is this entry of the container that stands
/// there now?").
std::string VerbHost::find_container_identity() {
  try {
    return container_identity();
  } catch (const Error& error) {
    if (!error.is(Code::invalid_netns)) throw;
    container_netns_.reset();
    container_opened_ = false;  // whoever needs it is told why there is none
    return {};
  }
}

/// Another namespace stands at the path: as good as none.
void VerbHost::require_visited() {
  if (container_links().identity() == visited_) return;
  container_links_.reset();
  container_netns_.reset();
}

/// Nft knows no journals. It asks for all remembered elements only if it finds a table gone, and
/// for those of siblings only if a published port becomes free.
net::Nft& VerbHost::nft() {
  if (!nft_) nft_.emplace(&remembered_, services_);
  return *nft_;
}

/// A courtesy to other attachments that must not make this verb fail.
void VerbHost::restore_rules(const std::vector<net::NftElement>* own) noexcept {
  try {
    if (own != nullptr ? nft().restore(*own) : nft().restore()) {
      log(LogLevel::warning, "our nftables rules were gone or damaged: they are restored");
    }
  } catch (const std::exception& error) {
    log(LogLevel::warning, std::string("restore our nftables rules: ") + error.what());
  }
}

UndoLog& VerbHost::undo() {
  if (active_.undo == nullptr) throw Error(Code::internal, "no change is allowed during this verb");
  return *active_.undo;
}

Ipam& VerbHost::ipam() {
  if (active_.ipam == nullptr) throw Error(Code::internal, "this step has no IPAM");
  return *active_.ipam;
}

Delegate& VerbHost::delegate() {
  return active_.delegate != nullptr ? *active_.delegate : Host::delegate();
}

void VerbHost::require_home() const {
  if (!host_netns_ || host_netns_->is_current()) return;
  throw Error(Code::internal, "the verb could not return to the runtime's network namespace",
              "nothing more is changed: what is left to undo is in the journal, for DEL and GC");
}

void VerbHost::MemberObserver::on_event(const Event& event) noexcept {
  Event told = event;
  if (told.member.empty()) {
    told.member = host_.active().type;
    told.place = host_.active().place;
  }
  to_->on_event(told);
}

journal::Place VerbHost::place() { return attachments::place_of(*this); }

/// A program of another maker may call us for this very attachment (a wrapper does), and would wait
/// for the lock that we hold until its own time is up.
std::string VerbHost::unlocked(const std::function<std::string()>& work) {
  if (journal_lock_ == nullptr) return work();
  std::string out;
  std::exception_ptr failure;
  journal_lock_->let_go();
  try {
    out = work();
  } catch (const Error&) {
    failure = std::current_exception();
  }
  journal_lock_->take_again();  // also for the roll-back
  if (failure) std::rethrow_exception(failure);
  return out;
}

/// Each line once: a warning that concerns a thousand attachments would otherwise fill the
/// runtime's log. What is left out is counted.
void VerbHost::log(LogLevel level, std::string_view text) {
  Line line{level, active_.type, protocol::bounded(text)};
  if (std::find(warned_.begin(), warned_.end(), line) != warned_.end()) return;
  if (warned_.size() == kMostLines) {
    ++untold_;
    return;
  }
  if (services_.log != nullptr) services_.log->log(level, line.member, line.text);
  warned_.push_back(std::move(line));
}

VerbHost::~VerbHost() {
  if (untold_ == 0 || services_.log == nullptr) return;
  services_.log->log(LogLevel::warning, {}, fmt::format("{} more messages are left out", untold_));
}

}  // namespace unicni::chain
