// A step's IPAM: a module in this process or a program, behind one face.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "chain/foreign_del.h"
#include "chain/request.h"
#include "module/loader.h"
#include "options/parse.h"
#include "unicni/error.h"
#include "unicni/host.h"
#include "unicni/ipam/store.h"

namespace unicni::chain {

/// Receives a line for each doubt about the configuration.
using Warn = std::function<void(const std::string&)>;

class IpamDelegate final : public Ipam {
 public:
  /// `call` is the link step's; without an ipam_type the delegate is the empty one. DEL: an IPAM
  /// that can't be found or loaded becomes a warning now and an Error of del().
  IpamDelegate(const Request& request, const Call& call, const protocol::Netconf& netconf,
               const Warn& warn);

  void validate();
  void bind(Host& host) { host_ = &host; }
  /// What a foreign delegate reads on stdin, if it differs from the call's request.
  void set_request(const std::string& config) { call_.request = config; }
  void set_prev_result(const std::optional<Result>& result) { call_.prev_result = result; }
  /// The undo log has asked for this delegate's DEL already.
  void mark_asked(const Asked& asked) { asked_ = asked; }
  [[nodiscard]] bool has_module_for(const std::string& type) const {
    return module_ && found_.type == type;
  }

  [[nodiscard]] bool given() const override { return !call_.ipam_type.empty(); }
  [[nodiscard]] bool needs_link() const override;
  Result add() override;
  void del() override;
  void check() override;
  void gc() override;
  void status() override;
  [[nodiscard]] std::optional<std::vector<IpAddress>> held() override;
  [[nodiscard]] RenewedLease renewed() override;

 private:
  /// Does `work` with host-local's files, which we can read without the module and beside a program
  /// of that name. False: it is another IPAM.
  bool with_files(const std::function<void(ipam::Store&)>& work) const;
  [[nodiscard]] std::string lease() const;
  void look_at_namesake(const Warn& warn);
  void require_given() const;
  void run_program(Command command);

  const Request& request_;
  Call call_;
  std::optional<protocol::Netconf>
      gc_netconf_;  ///< of a GC, whose lists aren't in the call's request
  module::Found found_;
  std::optional<module::LoadedModule> module_;
  bool program_needs_link_ = false;
  options::Parsed options_;
  std::optional<Error> missing_;
  std::string data_dir_;
  Host* host_ = nullptr;
  std::optional<Asked> asked_;
};

}  // namespace unicni::chain
