// cnitool status.
#include "network_verb.h"
#include "verbs.h"

namespace unicni::cnitool {
namespace {

class Status final : public NetworkVerb {
  app::ExitStatus act(const Call& call) override {
    call.runtime.status(call.network);
    return app::ExitStatus::done;
  }
};

}  // namespace

app::VerbText status_verb() {
  return {"status",
          "Ask a network's plugins whether they can attach containers now",
          "Before version 1.1.0 of the spec plugins weren't asked, so the answer is yes.",
          "CNI_PATH=/opt/cni/bin cnitool status mynet /run/netns/blue && echo ready",
          {},
          app::make_verb<Status>,
          app::ExitStatus::failed};
}

}  // namespace unicni::cnitool
