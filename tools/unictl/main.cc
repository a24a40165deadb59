// unictl: what an administrator asks of unicni.
#include "app/application.h"
#include "verbs.h"

int main(int argc, char** argv) {
  namespace app = unicni::app;
  namespace unictl = unicni::unictl;
  const app::Application application{
      .name = "unictl",
      .summary = "Look after unicni on this host",
      .about = "",
      .examples = "unictl lint /etc/unicni/policy.d/*.yaml\nunictl modules --json",
      .verbs = {unictl::compile_verb(), unictl::conformance_verb(), unictl::diff_verb(),
                unictl::explain_verb(), unictl::lint_verb(), unictl::modules_verb(),
                unictl::render_verb()},
      .environment = {{"NO_COLOR", "Not empty: no colours, also on a terminal."},
                      {"COLUMNS", "Width of tables, instead of the terminal's."}},
      .exit_statuses = {{"0", "Done."},
                        {"1", "It failed, or found what it was to look for."},
                        {"2", "It was called wrongly and did nothing."}},
      .completions = {}};
  return app::run(application, argc, argv);
}
