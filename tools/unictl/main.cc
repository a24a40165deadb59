// unictl: what an administrator asks of unicni.
#include <string>

#include "app/application.h"
#include "verbs.h"

namespace {

/// The shell's words that list the chains of this host, each behind `prefix`; `more` are words
/// besides.
std::string chains(const std::string& prefix = "", const std::string& more = "") {
  return "compgen -W \"" + more +
         "$(cd /etc/unicni/chains 2> /dev/null && printf '%s\\n' *.yaml | sed -n "
         "'s/^\\([^*].*\\)\\.yaml$/" +
         prefix + "\\1/p')\" -- \"$cur\"";
}

constexpr const char* kFiles = "compgen -f -- \"$cur\"";
constexpr const char* kModules =
    "compgen -W \"$(unictl modules 2> /dev/null | awk 'NR > 1 { print $1 }')\" -- \"$cur\"";

}  // namespace

int main(int argc, char** argv) {
  namespace app = unicni::app;
  namespace unictl = unicni::unictl;
  const std::string networks = chains() + "; " + kFiles;
  const app::Application application{
      .name = "unictl",
      .summary = "Look after unicni on this host",
      .about = "",
      .examples =
          "unictl lint /etc/unicni/policy.d/*.yaml\nunictl modules --json\nunictl install "
          "--bin-dir /opt/cni/bin",
      .verbs = {unictl::compile_verb(), unictl::conformance_verb(), unictl::diff_verb(),
                unictl::explain_verb(), unictl::install_verb(), unictl::lint_verb(),
                unictl::modules_verb(), unictl::new_module_verb(), unictl::render_verb()},
      .environment = {{"NO_COLOR", "Not empty: no colours, also on a terminal."},
                      {"CNI_PATH",
                       "Folders of plugins, with : between them: of types that lint looks for, and "
                       "of what a plugin that conformance looks at calls."},
                      {"COLUMNS", "Width of tables, instead of the terminal's."}},
      .exit_statuses = {{"0", "Done."},
                        {"1", "It failed, or found what it was to look for."},
                        {"2", "It was called wrongly and did nothing."},
                        {"3", "conformance: it could not be found out."}},
      .completions = {{"NETWORK", networks},
                      {"ONE", networks},
                      {"OTHER", networks},
                      {"CHAIN", chains()},
                      {"SUBJECT", chains("chain:", "policy ")},
                      {"PLUGIN", std::string(kModules) + "; " + kFiles}}};
  return app::run(application, argc, argv);
}
