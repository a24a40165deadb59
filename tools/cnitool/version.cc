// cnitool version.
#include <algorithm>

#include "network_verb.h"
#include "verbs.h"

namespace unicni::cnitool {
namespace {

const app::TableShape& table() {
  static const app::TableShape shape{
      "plugins",
      nullptr,
      app::Form::rows,
      {{"type", "PLUGIN", "string", "the plugin's type"},
       {"versions", "VERSIONS", "array of strings", "versions of the CNI spec that it supports"},
       {"supports_network", "SUPPORTS THE NETWORK", "boolean",
        "whether the network's version is among them"}}};
  return shape;
}

class Version final : public NetworkVerb {
 public:
  bool needs_netns() const override { return false; }

 private:
  app::ExitStatus act(const Call& call) override {
    using app::Cell;
    app::Report report;
    report.add_table(table());
    bool all = true;
    for (const std::string& type : call.network.types()) {
      const auto versions = call.runtime.supported_versions(type);
      const bool fits =
          std::find(versions.begin(), versions.end(), call.network.cni_version()) != versions.end();
      report.add_row({Cell::text(type), Cell::list(versions),
                      Cell::flag(fits, fits ? app::Tone::good : app::Tone::bad)});
      all = all && fits;
    }
    call.output.put(report);
    return all ? app::ExitStatus::done : app::ExitStatus::failed;
  }
};

}  // namespace

app::VerbText version_verb() {
  return {"version",
          "Ask a network's plugins which versions of the CNI spec they support",
          "The status is 1 if one doesn't support the network's version.",
          "CNI_PATH=/opt/cni/bin cnitool version mynet\n"
          "CNI_PATH=/opt/cni/bin cnitool version --json mynet | jq '.plugins[].versions'",
          {&table()},
          app::make_verb<Version>};
}

}  // namespace unicni::cnitool
