// The plugin that a step gives its work to: a module in this process or a program, behind one face.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/foreign_del.h"
#include "chain/request.h"
#include "chain/request_of_add.h"
#include "journal/entry.h"
#include "unicni/host.h"

namespace unicni::chain {

struct Step;
class VerbHost;

class PluginDelegate final : public Delegate {
 public:
  /// `call` is the step's that delegates.
  PluginDelegate(const Request& request, const Call& call);
  ~PluginDelegate() override;

  void bind(VerbHost& host) { host_ = &host; }
  /// What ADD made of the configuration by the policies of its time; "": nothing.
  void set_recorded(const std::string& config) { recorded_ = config; }
  /// DEL: the same, and who did the work then.
  void set_recorded(const journal::RecordedStep& step) {
    recorded_ = step.delegate;
    step_of_add_ = step;
  }
  /// The undo log has asked for the DEL of this program already: the delegate's or its IPAM's.
  void mark_asked(const Asked& asked) { asked_.push_back(asked); }

  void configure(const std::string& config) override;
  [[nodiscard]] bool in_process() const override;
  Result add() override;
  void del() override;
  void check() override;
  void gc() override;
  void status() override;

 private:
  class Turn;
  [[nodiscard]] protocol::Netconf effective(const std::string& config) const;
  Step& configured() const;
  [[nodiscard]] const Asked* find_asked(const std::string& type) const;
  void require_no_interface();
  void run_program(Command command);
  /// Calls `verb` of the module with its call, while the host is the delegate's; or the program.
  template <class Verb>
  void run(Command command, Verb verb);

  const Request& request_;
  Call call_;
  VerbHost* host_ = nullptr;
  std::string recorded_;
  std::optional<journal::RecordedStep> step_of_add_;
  RequestOfAdd of_add_;  // the step refers to what it has
  std::unique_ptr<Step> step_;
  std::vector<Asked> asked_;
};

/// Error(invalid_config) unless `step`, a module, can do the work of a plugin of type `by`.
void require_delegate(const Step& step, const std::string& by);

}  // namespace unicni::chain
