// cnitool check.
#include "network_verb.h"
#include "verbs.h"

namespace unicni::cnitool {
namespace {

class Check final : public NetworkVerb {
  app::ExitStatus act(const Call& call) override {
    call.runtime.check(call.network, call.conf);
    return app::ExitStatus::done;
  }
};

}  // namespace

app::VerbText check_verb() {
  return {"check",
          "Look whether an attachment is as its add left it",
          "The cached result of the add is needed. Versions of the spec before 0.4.0 have no "
          "such verb.",
          "CNI_PATH=/opt/cni/bin cnitool check mynet /run/netns/blue && echo as it was",
          {},
          app::make_verb<Check>,
          app::ExitStatus::failed};
}

}  // namespace unicni::cnitool
