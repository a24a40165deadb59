// cnitool: the verbs of CNI by hand, a drop-in for the reference's.
#include "app/application.h"
#include "verbs.h"

namespace {

/// Names of networks, and files, which only a "/" tells from them.
constexpr const char* kNetworks =
    "compgen -W \"$(cnitool networks 2> /dev/null | awk 'NR > 1 && $1 != \"-\" { print $1 }')\" "
    "-- \"$cur\"; compgen -f -- \"$cur\" | grep /";
constexpr const char* kNamespaces = "compgen -f -- \"${cur:-/run/netns/}\"";

}  // namespace

int main(int argc, char** argv) {
  namespace app = unicni::app;
  using namespace unicni::cnitool;
  const app::Application application{
      .name = "cnitool",
      .summary = "Attach network namespaces to networks of CNI, check and detach them",
      .about =
          "It does by hand what a container runtime does. The container's id is made of the "
          "path of the namespace, so a namespace has one.",
      .examples =
          "ip netns add blue\n"
          "export CNI_PATH=/opt/cni/bin\n"
          "cnitool add mynet /run/netns/blue\n"
          "cnitool check mynet /run/netns/blue\n"
          "cnitool del mynet /run/netns/blue",
      .verbs = {add_verb(), check_verb(), del_verb(), gc_verb(), status_verb(), version_verb(),
                validate_verb(), networks_verb()},
      .environment = {{"CNI_PATH", "Folders in which plugins are looked for, with : between them."},
                      {"NETCONFPATH", "Folder of the networks' files. Without it /etc/cni/net.d."},
                      {"CNI_ARGS", "K=V;K=V for the plugins; neither side may be empty."},
                      {"CAP_ARGS", "JSON object with a capability as each key, for runtimeConfig."},
                      {"CNI_IFNAME", "The interface in the container, if --ifname isn't given."},
                      {"NO_COLOR", "Not empty: no colours, also on a terminal."},
                      {"COLUMNS", "Width of tables, instead of the terminal's."}},
      .exit_statuses =
          {{"0", "Done."},
           {"1",
            "It failed, found what it was to look for, or a verb of the reference's cnitool was "
            "called wrongly."},
           {"2", "A verb of its own (version, validate, networks) was called wrongly."},
           {"130, 143", "SIGINT or SIGTERM came; a line on stderr says what removes the rest."}},
      .completions = {{"NETWORK", kNetworks}, {"NETNS", kNamespaces}},
      .usage_status = app::ExitStatus::failed,
      .may_lack_verb = true};
  return app::run(application, argc, argv);
}
