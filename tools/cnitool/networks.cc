// cnitool networks.
#include "app/application.h"
#include "runtime_options.h"
#include "unicni/runtime.h"
#include "verbs.h"

namespace unicni::cnitool {
namespace {

using app::Cell;
using app::Tone;

const app::TableShape& table() {
  static const app::TableShape shape{
      "networks",
      nullptr,
      app::Form::rows,
      {{"name", "NETWORK", "string or null", "the network's name, null if the file is broken"},
       {"cni_version", "VERSION", "string or null", "version of the CNI spec that it asks for"},
       {"plugins", "PLUGINS", "array of strings", "types of the plugins, in the order of ADD"},
       {"verdict", "VERDICT", "string",
        "ok, broken, or shadowed by an earlier file with this name"},
       {"reason", "REASON", "string or null", "what is broken, or the file that shadows it"},
       {"path", "FILE", "string", "the file"}}};
  return shape;
}

app::Row row_of(const NetworkFile& file) {
  if (!file.network) {
    const std::string reason = file.problem ? file.problem->msg() : "";
    return {Cell(),
            Cell(),
            Cell::list({}),
            Cell::text("broken", Tone::bad),
            Cell::text(reason),
            Cell::text(file.path)};
  }
  const bool serves = file.shadowed_by.empty();
  return {Cell::text(file.network->name()),
          Cell::text(file.network->cni_version()),
          Cell::list(file.network->types()),
          serves ? Cell::text("ok", Tone::good) : Cell::text("shadowed", Tone::faint),
          serves ? Cell() : Cell::text("by " + file.shadowed_by, file.shadowed_by),
          Cell::text(file.path)};
}

class Networks final : public app::Verb {
 public:
  void declare(app::Options&) override {}
  app::ExitStatus run(app::Output& output) override {
    app::Report report;
    report.add_table(table());
    bool is_whole = true;
    for (const NetworkFile& file : Runtime(runtime_options(Isolation::process)).list_networks()) {
      is_whole = is_whole && file.network.has_value();
      report.add_row(row_of(file));
    }
    output.put(report);
    return is_whole ? app::ExitStatus::done : app::ExitStatus::failed;
  }
};

}  // namespace

app::VerbText networks_verb() {
  return {"networks",
          "List the networks of NETCONFPATH, in the order in which they are looked for",
          "The status is 1 if a file is broken.",
          "cnitool networks\nNETCONFPATH=./net.d cnitool networks --json",
          {&table()},
          app::make_verb<Networks>};
}

}  // namespace unicni::cnitool
