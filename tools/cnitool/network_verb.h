// What the verbs about a network have in common: their arguments, and the way from these and the
// environment to a call of the runtime.
#pragma once

#include <optional>
#include <string>

#include "app/application.h"
#include "unicni/runtime.h"

namespace unicni::cnitool {

class NetworkVerb : public app::Verb {
 public:
  void declare(app::Options& options) override;
  /// In the reference's order: configuration, CAP_ARGS, CNI_ARGS, interface, namespace; then act().
  app::ExitStatus run(app::Output& output) final;

 protected:
  struct Call {
    const Runtime& runtime;
    const NetworkConfig& network;
    const RuntimeConf& conf;
    const app::Output& output;
  };
  virtual app::ExitStatus act(const Call& call) = 0;
  /// What an interrupted act() leaves, and who mends it: what is said after "interrupted: ".
  [[nodiscard]] virtual std::string left_by_interruption(const Call& call) const {
    static_cast<void>(call);
    return "call it again";
  }
  /// Of a verb that needs no namespace, and may lack it.
  virtual bool needs_netns() const { return true; }
  /// The command that detaches what this verb is about.
  [[nodiscard]] std::string del_command() const;

 private:
  std::string network_;
  std::string netns_;
  std::string if_name_;
  std::string container_id_;
  bool is_timed_ = false;
  bool is_in_process_ = false;
  bool is_exec_ = false;
};

/// A network by its name, or by its file's path, which has a '/'.
NetworkConfig find_network(const Runtime& runtime, const std::string& network);

/// For --dry-run: what the verb would be called with.
const app::TableShape& attachment_table();
void put_attachment(const app::Output& output, const NetworkConfig& network,
                    const RuntimeConf& conf);

}  // namespace unicni::cnitool
