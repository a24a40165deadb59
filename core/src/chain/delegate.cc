#include "chain/delegate.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "chain/foreign.h"
#include "chain/rules.h"
#include "chain/step.h"
#include "chain/verb_host.h"
#include "unicni/error.h"
#include "unicni/net/link.h"
#include "unicni/undo/delegate.h"

namespace unicni::chain {

/// While it lives the host works for the delegate.
class PluginDelegate::Turn {
 public:
  Turn(VerbHost& host, Step& step) : host_(host), before_(host.active()) {
    step.ipam->bind(host);
    host.enter({step.type(), step.call.step, before_.undo, step.ipam.get(), nullptr});
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { host_.enter(before_); }

 private:
  VerbHost& host_;
  const VerbHost::ActiveStep before_;
};

PluginDelegate::PluginDelegate(const Request& request, const Call& call)
    : request_(request), call_(call), of_add_(request) {}
PluginDelegate::~PluginDelegate() = default;

namespace {

/// What a runtime would have sent: prevResult and the list of GC come with their verbs. ADD has no
/// prevResult, as the delegate is the one that makes the interface.
protocol::Netconf completed(const Request& request, const Call& call, protocol::Netconf config) {
  switch (call.command) {
    case Command::check:
      return config.with_prev_result(call.prev_result ? &*call.prev_result : nullptr);
    case Command::del:
      return with_request_prev_result(request, config);
    case Command::gc:
      return config.with_attachments_of(request.netconf);
    default:
      return config;
  }
}

}  // namespace

/// Policies hold for a delegate as for a member. What they made of it is remembered, as DEL and
/// CHECK go by it.
protocol::Netconf PluginDelegate::effective(const std::string& config) const {
  if (call_.command != Command::add) {
    return protocol::Netconf::parse(recorded_.empty() ? config : recorded_);
  }
  protocol::Netconf asked = protocol::Netconf::parse(config);
  if (host_->rules() == nullptr) return asked;
  auto ruled = host_->rules()->apply_to_delegate(asked);
  if (!ruled) return asked;
  JournalLock* const lock = host_->journal_lock();
  if (lock != nullptr) lock->record_delegate(ruled->netconf.text());
  return std::move(ruled->netconf);
}

/// The module wrote this configuration, but of parts that a user wrote, so it is validated like one
/// that came from a runtime.
void PluginDelegate::configure(const std::string& config) {
  protocol::Netconf netconf = completed(request_, call_, effective(config));
  const std::string type = netconf.type();
  module::require_valid_type(type);
  const auto warn = [this](const std::string& text) { host_->log(LogLevel::warning, text); };
  if (step_of_add_) {
    of_add_.take(*step_of_add_, type);
    of_add_.take(*step_of_add_, netconf.ipam_type());
  }
  step_ = make_step(of_add_.get(), type, std::move(netconf), call_.step, false,
                    call_.command == Command::add ? std::nullopt : call_.prev_result, warn);
  const Asked* asked = find_asked(step_->call.ipam_type);
  if (step_->ipam && asked != nullptr) step_->ipam->mark_asked(*asked);
  if (step_->module) {
    require_delegate(*step_, call_.type);
    if (call_.command == Command::del) return;
    step_->module->validate(step_->call);
    step_->ipam->validate();
  }
  if (call_.command == Command::add) require_no_interface();
}

/// Before anything is written down: the roll-back of a refused ADD would run the DEL of a delegate
/// that is a program, and take away what others made.
void PluginDelegate::require_no_interface() {
  if (!net::find_link(host_->container_links(), call_.key.if_name)) return;
  throw Error(Code::internal,
              fmt::format("interface {} exists already in {}", call_.key.if_name, call_.netns),
              "DEL this attachment first, or choose another CNI_IFNAME");
}

void require_delegate(const Step& step, const std::string& by) {
  if (step.is_link() && !step.delegate) return;
  throw Error(Code::invalid_config, fmt::format("{} can't do the work of {}", step.type(), by),
              "set the delegate's type to a plugin that makes an interface, such as bridge or ptp");
}

Step& PluginDelegate::configured() const {
  if (!step_) throw Error(Code::internal, fmt::format("{}: delegate not configured", call_.type));
  return *step_;
}

const Asked* PluginDelegate::find_asked(const std::string& type) const {
  const auto found = std::ranges::find(asked_, type, &Asked::type);
  return found == asked_.end() ? nullptr : &*found;
}

bool PluginDelegate::in_process() const { return configured().module.has_value(); }

void PluginDelegate::run_program(Command command) {
  const Step& step = configured();
  try {
    host_->unlocked([&] {
      return run_foreign(request_, step.found.program, command, step.netconf.text_for(command),
                         step.call.step);
    });
  } catch (Error& error) {
    throw error.in_step(step.type());
  }
}

template <class Verb>
void PluginDelegate::run(Command command, Verb verb) {
  Step& step = configured();
  if (!step.module) return run_program(command);
  const Turn turn(*host_, step);
  verb(*step.module, step.call);
}

/// A program can be undone by its DEL alone, so that is its record. A module of ours announces its
/// own changes, one by one.
Result PluginDelegate::add() {
  Step& step = configured();
  if (step.module) {
    const Turn turn(*host_, step);
    return step.module->add(step.call, *host_);
  }
  const std::string& config = step.netconf.text();
  host_->undo().announce(undo_delegate(step.type(), step.found.program, config));
  try {
    std::optional<Result> result;
    host_->unlocked([&] {
      result =
          add_foreign(request_, step.found.program, config, step.call.spec_version, step.call.step);
      return std::string();
    });
    return *std::move(result);
  } catch (Error& error) {
    throw error.in_step(step.type());
  }
}

/// Without a record the journal knows of no ADD of the program. To succeed where its DEL failed
/// would make the caller remove the file that the next DEL needs.
void PluginDelegate::del() {
  const Step& step = configured();
  if (step.module) {
    return run(Command::del, [this](auto& module, const Call& call) { module.del(call, *host_); });
  }
  if (const Asked* asked = find_asked(step.type())) return asked->rethrow();
  try {
    host_->unlocked([&] {
      del_foreign(request_, *host_,
                  {step.type(), {}, step.netconf.text(), call_.key, false, step.call.step});
      return std::string();
    });
  } catch (Error& error) {
    throw error.in_step(step.type());
  }
}

void PluginDelegate::check() {
  run(Command::check, [this](auto& module, const Call& call) { module.check(call, *host_); });
}

void PluginDelegate::gc() {
  run(Command::gc, [this](auto& module, const Call& call) { module.gc(call, *host_); });
}

void PluginDelegate::status() {
  run(Command::status, [this](auto& module, const Call& call) { module.status(call, *host_); });
}

}  // namespace unicni::chain
