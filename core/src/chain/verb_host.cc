#include "chain/verb_host.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/owner.h"
#include "chain/address_owner.h"
#include "chain/liveness.h"
#include "chain/remembered.h"
#include "journal/journal.h"
#include "journal/shared_links.h"
#include "journal/trust.h"
#include "protocol/reply.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "unicni/undo/records.h"

namespace unicni::chain {

namespace {

std::string own_netns_text(const std::string& path) {
  return fmt::format("CNI_NETNS {} is the plugin's own network namespace", path);
}

/// stderr is a courtesy: a runtime that closed it loses the line and nothing else.
void say(const std::string& line) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

Error own_netns(const std::string& path) {
  return {Code::invalid_netns, own_netns_text(path), "containers need a namespace of their own"};
}

}  // namespace

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

bool VerbHost::tolerant() const {
  const Command command = request_.command;
  return !visited_.empty() || (command != Command::add && command != Command::check);
}

net::Netlink& VerbHost::host_links() {
  if (!host_links_) host_links_.emplace();
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
    if (!tolerant()) throw;
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
    log(LogLevel::warning, own_netns_text(path) + ": nothing is touched there");
  }
  if (!visited_.empty()) require_visited();
}

void VerbHost::visit_container(const std::string& path, const std::string& identity) {
  container_links_.reset();
  container_netns_.reset();
  netns_path_ = path;
  visited_ = identity;
  container_opened_ = path.empty() || identity.empty();
}

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
    container_links_.emplace(*netns, host_netns());
  }
  return *container_links_;
}

std::string VerbHost::container_identity() {
  return container_netns() == nullptr ? std::string() : container_links().identity();
}

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

void VerbHost::require_visited() {
  if (container_links().identity() == visited_) return;
  container_links_.reset();
  container_netns_.reset();
}

net::Nft& VerbHost::nft() {
  if (!nft_) {
    nft_.emplace();
    nft_->remember([this] { return remembered_rules(place(), host_netns()); });
    nft_->inherit([this](const std::string& owner) {
      return remembered_siblings(place(), host_netns(), owner, request_.environment.container_id);
    });
  }
  return *nft_;
}

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
  if (scene_.undo == nullptr) throw Error(Code::internal, "no change is allowed during this verb");
  return *scene_.undo;
}

std::optional<sys::Lock> VerbHost::hold_shared_links() {
  return journal::lock_shared_links(journal::kRunFolder, sys::LockMode::shared,
                                    sys::lock_deadline(request_.deadline));
}

Ipam& VerbHost::ipam() {
  if (scene_.ipam == nullptr) throw Error(Code::internal, "this step has no IPAM");
  return *scene_.ipam;
}

Delegate& VerbHost::delegate() {
  return scene_.delegate != nullptr ? *scene_.delegate : Host::delegate();
}

namespace {

/// The journal of the attachment that a comment names, in full or by a hash. `is_owner`: false if
/// it names none.
std::optional<journal::Entry> peek_owner(const std::string& owner, bool& is_owner) {
  is_owner = true;
  if (is_shortened_owner(owner)) {
    std::optional<journal::Entry> found;
    journal::peek_each(journal::kFolder, [&](const journal::Entry& entry) {
      const journal::Key& key = entry.key;
      const std::string text = key.network + '/' + key.container_id + '/' + key.if_name;
      if (owner_comment(text) == owner) found = entry;
      return !found;
    });
    return found;
  }
  const std::size_t first = owner.find('/');
  const std::size_t last = owner.rfind('/');
  // Others' comments are no owners: names of networks and containers have no '~'.
  is_owner = first != owner.npos && first != last && owner.find('~') > last;
  if (!is_owner) return std::nullopt;
  return journal::peek(
      journal::kFolder,
      {owner.substr(0, first), owner.substr(first + 1, last - first - 1), owner.substr(last + 1)});
}

}  // namespace

bool VerbHost::is_gone(const std::string& owner) {
  bool is_owner = false;
  const auto entry = peek_owner(owner, is_owner);
  if (!is_owner) return false;
  if (!entry) return !journal::distrust_folder(journal::kFolder);
  if (life_of(*entry, place(), host_netns()) == Life::gone) return true;
  // A container has one namespace: another one was that of an earlier life of the same name.
  const bool is_ours = !tolerant() && entry->key.container_id == request_.environment.container_id;
  const std::string identity = is_ours ? find_container_identity() : std::string();
  return !identity.empty() && !entry->container_netns.empty() && entry->container_netns != identity;
}

journal::Place VerbHost::place() { return {sys::boot_id(), host_links().identity()}; }

bool VerbHost::is_anothers(const Attachment& owner, const IpAddress& address) {
  return chain::is_anothers(owner, address, place());
}

bool VerbHost::is_container_gone(const std::string& network, const std::string& container_id) {
  bool known = false;
  for (const journal::Key& key : journal::list_keys(journal::kFolder, network)) {
    if (key.container_id != container_id) continue;
    known = true;
    if (!is_gone(fmt::format("{}/{}/{}", network, container_id, key.if_name))) return false;
  }
  return known;
}

bool VerbHost::has_iptables_ports_of_sibling(const std::string& network, const Attachment& owner) {
  const journal::Key own{network, owner.container_id, owner.if_name};
  const std::pair<std::string, std::string> field{"container", owner.container_id};
  const auto has_chain = [&](const journal::Step& step) {
    return std::any_of(step.undo.begin(), step.undo.end(), [&](const Undo& record) {
      return record.type == kIptablesPorts &&
             std::find(record.fields.begin(), record.fields.end(), field) != record.fields.end();
    });
  };
  for (const journal::Key& key : journal::list_siblings(journal::kFolder, own)) {
    const auto entry = journal::peek(journal::kFolder, key);
    if (entry && std::any_of(entry->steps.begin(), entry->steps.end(), has_chain) &&
        !is_gone(fmt::format("{}/{}/{}", network, owner.container_id, key.if_name))) {
      return true;
    }
  }
  return false;
}

std::optional<sys::Lock> VerbHost::hold_host_ports() {
  return journal::lock_shared_links(journal::kRunFolder, sys::LockMode::exclusive,
                                    sys::lock_deadline(request_.deadline));
}

std::vector<Undo> VerbHost::remembered(std::string_view type, Steps steps, std::size_t most) {
  return remembered_records(place(), type, steps, most);
}

std::string VerbHost::unlocked(const std::function<std::string()>& work) {
  if (lock_holder_ == nullptr) return work();
  std::string out;
  std::exception_ptr failure;
  lock_holder_->let_go();
  try {
    out = work();
  } catch (const Error&) {
    failure = std::current_exception();
  }
  lock_holder_->take_again();  // also for the roll-back
  if (failure) std::rethrow_exception(failure);
  return out;
}

bool VerbHost::is_file_of_sibling(const std::string& path) {
  const protocol::Environment& environment = request_.environment;
  const journal::Place here = place();
  const std::pair<std::string, std::string> field{"path", path};
  const auto announces = [&](const journal::Step& step) {
    return std::any_of(step.undo.begin(), step.undo.end(), [&](const Undo& record) {
      return record.type == "file" &&
             std::find(record.fields.begin(), record.fields.end(), field) != record.fields.end();
    });
  };
  for (const journal::Key& key : journal::list_siblings(
           journal::kFolder,
           {request_.netconf.name(), environment.container_id, environment.if_name})) {
    const auto entry = journal::peek(journal::kFolder, key);
    if (entry && entry->place == here &&
        std::any_of(entry->steps.begin(), entry->steps.end(), announces)) {
      return true;
    }
  }
  return false;
}

void VerbHost::log(LogLevel level, std::string_view text) {
  constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  std::string line = fmt::format("unicni {}: {}: {}\n", scene_.type,
                                 kNames[static_cast<int>(level)], protocol::bounded(text));
  if (std::find(warned_.begin(), warned_.end(), line) != warned_.end()) return;
  if (warned_.size() == kMostLines) {
    ++untold_;
    return;
  }
  say(line);
  warned_.push_back(std::move(line));
}

VerbHost::~VerbHost() {
  if (untold_ > 0) say(fmt::format("unicni: warning: {} more messages are left out\n", untold_));
}

}  // namespace unicni::chain
