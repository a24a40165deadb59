#include "help.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace unicni::exec {

namespace {

constexpr const char* kHelp = R"(unicni, a CNI plugin that is all of them.

A container runtime executes it under a plugin's name (bridge, host-local …), with CNI_* variables in the
environment and the network configuration on stdin; it answers with JSON on stdout. It takes no arguments
but --help, --version and, under a module's name, the commands of a module that has some.

By hand, in a network namespace called "demo":
  ip netns add demo
  echo '{"cniVersion":"1.0.0","name":"mynet","type":"bridge","bridge":"cni0","isGateway":true,
         "ipam":{"type":"host-local","subnet":"10.22.0.0/16"}}' > mynet.conf
  export CNI_CONTAINERID=demo CNI_NETNS=/run/netns/demo CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin
  CNI_COMMAND=ADD /opt/cni/bin/bridge < mynet.conf
  CNI_COMMAND=DEL /opt/cni/bin/bridge < mynet.conf
What versions it speaks:
  CNI_COMMAND=VERSION /opt/cni/bin/bridge
Whoever installs it chooses the name: a link or copy "cnv-bridge" is bridge as well. A copy finds its modules in
../../lib/unicni/modules or unicni-modules beside it, or where they were installed.
Under its own name it runs a whole list in one process: type "unicni" with "plugins": [ … ].

Exit status: 0 done; 1 failed, and stdout says why in one JSON object (code, msg, details).
)";

}  // namespace

int answer_arguments(int argc, char** argv) {
  const std::string_view argument = argc == 2 ? argv[1] : "";
  if (argument == "--help" || argument == "-h") {
    std::fputs(kHelp, stdout);
  } else if (argument == "--version") {
    std::puts("unicni " UNICNI_VERSION);
  } else {
    std::fprintf(stderr, "unicni: unknown argument \"%s\"; try --help\n", argv[1]);
    std::fflush(nullptr);
    return 2;
  }
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  std::fprintf(stderr, "unicni: write to stdout: %s\n", std::strerror(errno));
  std::fflush(nullptr);
  return 1;
}

}  // namespace unicni::exec
