// cnitool del.
#include "network_verb.h"
#include "verbs.h"

namespace unicni::cnitool {
namespace {

class Del final : public NetworkVerb {
 public:
  void declare(app::Options& options) override {
    NetworkVerb::declare(options);
    options.flag(is_dry_, "--dry-run", "Only say what the plugins would be called with");
  }

 private:
  app::ExitStatus act(const Call& call) override {
    if (is_dry_) {
      put_attachment(call.output, call.network, call.conf);
    } else {
      call.runtime.del(call.network, call.conf);
      if (call.output.is_json()) put_attachment(call.output, call.network, call.conf);
    }
    return app::ExitStatus::done;
  }

  [[nodiscard]] std::string left_by_interruption(const Call& call) const override {
    return "network " + call.network.name() + " is detached in part; `" + del_command() +
           "` removes the rest";
  }

  bool is_dry_ = false;
};

}  // namespace

app::VerbText del_verb() {
  return {"del",
          "Detach a network namespace from a network",
          "It is to be called with the arguments and the environment of its add. It may be called "
          "again, and when the namespace is gone.",
          "CNI_PATH=/opt/cni/bin cnitool del mynet /run/netns/blue",
          {&attachment_table()},
          app::make_verb<Del>,
          app::ExitStatus::failed};
}

}  // namespace unicni::cnitool
