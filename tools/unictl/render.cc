// unictl render: a chain as a file that any runtime reads.
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "app/application.h"
#include "compile/compile.h"
#include "document/chain.h"
#include "network.h"
#include "place.h"
#include "protocol/document.h"
#include "protocol/network_list.h"
#include "verbs.h"

namespace unicni::unictl {
namespace {

/// The one-plugin list by which a runtime reaches a chain. libcni passes on only what
/// "capabilities" declares, so it declares what the chain's plugins do.
std::string wrapper_of(const protocol::NetworkList& list) {
  std::string capabilities;
  for (const std::string& name : protocol::enabled_capabilities(list)) {
    capabilities +=
        fmt::format("{}{}: true", capabilities.empty() ? "" : ", ", protocol::quote(name));
  }
  return fmt::format(
      "{{\n  \"cniVersion\": {},\n  \"name\": {},\n  \"plugins\": [\n    {{ \"type\": \"unicni\", "
      "\"chain\": {}{} }}\n  ]\n}}\n",
      protocol::quote(version_of_chain(list)), protocol::quote(list.name),
      protocol::quote(list.name),
      capabilities.empty() ? "" : fmt::format(", \"capabilities\": {{ {} }}", capabilities));
}

class Render final : public app::Verb {
 public:
  void declare(app::Options& options) override {
    options.operand(name_, "CHAIN", "The chain's name");
    options.flag(wraps_, "--wrapper",
                 "Print the list of one plugin, unicni, that names the chain, instead of the "
                 "chain's own plugins");
    place_.declare(options);
  }

  app::ExitStatus run(app::Output& output) override {
    const module::Locations where = place_.locations();
    const document::Document chain = document::read_chain_file(place_.folders().chains(), name_);
    std::vector<std::string> warnings;
    const auto types = compile::types_of(chain, compile::installed_types(where, warnings), where);
    const protocol::NetworkList list = document::read_chain(chain, name_, types);
    for (const std::string& text : warnings) output.warn(text);
    for (const std::string& text : list.warnings) output.warn(text);
    output.write(wraps_ ? wrapper_of(list) : list.text + '\n');
    return app::ExitStatus::done;
  }

 private:
  PlaceOptions place_;
  std::string name_;
  bool wraps_ = false;
};

}  // namespace

app::VerbText render_verb() {
  return {"render",
          "Print a chain as a .conflist",
          "A list of the chain's plugins works with any runtime, which then calls each plugin by "
          "itself. With --wrapper the runtime calls unicni once for the whole chain, and a changed "
          "chain needs no new file.",
          "unictl render web > /etc/cni/net.d/10-web.conflist\n"
          "unictl render --wrapper web > /etc/cni/net.d/10-web.conflist",
          {},
          [] { return std::unique_ptr<app::Verb>(std::make_unique<Render>()); }};
}

}  // namespace unicni::unictl
