// Key functions of the classes of module.h: their vtables live here, in the executable, and not in
// every module.
#include "unicni/module.h"

#include <fmt/core.h>

#include "unicni/error.h"

namespace unicni {

Module::~Module() = default;

void Module::validate(const Call&) {}
void Module::gc(const Call&, Host&) {}
void Module::status(const Call&, Host&) {}

// The module's name is put in front of both texts (core/src/module/guard.h).
Result Module::update(const Call&, const Call&, Host&) {
  throw Error(Code::incompatible_version, "a living attachment can't be changed by this plugin",
              "DEL the attachment and ADD it with the new configuration");
}

int Module::command(int argc, const char* const* argv) {
  throw Error(Code::invalid_environment,
              fmt::format("there is no command \"{}\"", argc > 0 ? argv[0] : ""),
              "usage: a container runtime executes the plugin without arguments, with CNI_COMMAND "
              "in the environment and the network configuration on stdin; --help shows it by hand");
}

}  // namespace unicni
