// cnitool add.
#include <fmt/core.h>
#include <unistd.h>

#include "network_verb.h"
#include "unicni/error.h"
#include "verbs.h"

namespace unicni::cnitool {
namespace {

class Add final : public NetworkVerb {
 public:
  void declare(app::Options& options) override {
    NetworkVerb::declare(options);
    options.flag(is_dry_, "--dry-run",
                 "Only look whether all plugins are there, and say what "
                 "they would be called with");
  }

 private:
  /// Whoever called it takes an error for a network that isn't attached.
  void require_told(const Call& call) const {
    try {
      call.output.finish();
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("the result couldn't be told: {}", error.msg()),
                  fmt::format("network {} is attached all the same; `{}` takes it away",
                              call.network.name(), del_command()));
    }
  }

  app::ExitStatus act(const Call& call) override {
    if (is_dry_) {
      call.runtime.validate(call.network);
      put_attachment(call.output, call.network, call.conf);
    } else {
      call.output.write(call.runtime.add(call.network, call.conf).text);
      // The reference ends without one, which only a person minds.
      if (::isatty(STDOUT_FILENO) != 0) call.output.write("\n");
      require_told(call);
    }
    return app::ExitStatus::done;
  }

  [[nodiscard]] std::string left_by_interruption(const Call& call) const override {
    return "what was done of ADD to network " + call.network.name() + " is still there; `" +
           del_command() + "` removes it";
  }

  bool is_dry_ = false;
};

}  // namespace

app::VerbText add_verb() {
  return {"add",
          "Attach a network namespace to a network, and print the result",
          "If a plugin fails, what the others did is undone. The result is kept in "
          "/var/lib/cni/results, where check, del and gc look for it.",
          "CNI_PATH=/opt/cni/bin cnitool add mynet /run/netns/blue\n"
          "CNI_PATH=/opt/cni/bin cnitool add ./10-mynet.conflist /run/netns/blue -i eth1\n"
          "CNI_PATH=/opt/cni/bin cnitool add --in-process --timing mynet /run/netns/blue",
          {&attachment_table()},
          app::make_verb<Add>,
          app::ExitStatus::failed};
}

}  // namespace unicni::cnitool
