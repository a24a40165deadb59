// The universal CNI executable: environment and stdin in, one JSON document out.
#include <fmt/core.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include "chain/chain.h"
#include "crash.h"
#include "help.h"
#include "module/loader.h"
#include "protocol/reply.h"
#include "protocol/request.h"
#include "protocol/version.h"
#include "unicni/error.h"

namespace {

using unicni::Code;
using unicni::Command;
using unicni::Error;

constexpr int kHeapStep = 1 << 20;                           // bytes
constexpr int kNeverTrim = std::numeric_limits<int>::max();  // bytes

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw Error(Code::io, unicni::system_error(errno, "write the answer to stdout").msg());
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string executable_path() {
  char buffer[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", buffer, sizeof buffer);
  if (length <= 0) throw unicni::system_error(errno, "read /proc/self/exe");
  return {buffer, static_cast<std::size_t>(length)};
}

std::vector<std::string> environment_strings() {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  return variables;
}

unicni::module::Locations locations(std::vector<std::string> cni_path) {
  unicni::module::Locations where;
  where.executable = executable_path();
  where.modules = unicni::module::module_folder(where.executable);
  where.cni_path = std::move(cni_path);
  return where;
}

/// Of the module that is called by its own name. nullptr, which means all: a chain, or a module
/// that can't be used, as the next verb will say.
const char* const* supported_versions(const std::string& type) {
  namespace module = unicni::module;
  try {
    const module::Locations where = locations({});
    const std::string path = module::find_type(type, where).module_path;
    // The library stays open, and with it the list.
    return module::load(type, path, where.executable).descriptor().spec_versions;
  } catch (const Error&) {
    return nullptr;
  }
}

/// Runs one verb. `version` becomes the configuration's as soon as it is known, for the error
/// document.
void serve(const std::string& invoked_as, std::string& version) {
  using namespace unicni;
  auto environment = protocol::read_environment([](const char* name) { return std::getenv(name); });
  if (!environment) {
    write_all(STDERR_FILENO, protocol::print_about(invoked_as, supported_versions(invoked_as)));
    return;
  }
  if (environment->command == Command::version) {
    write_all(STDOUT_FILENO, protocol::print_version(protocol::read_optional_request(STDIN_FILENO),
                                                     supported_versions(invoked_as)));
    return;
  }
  const bool is_gc = environment->command == Command::gc;
  protocol::Netconf netconf = protocol::Netconf::parse(protocol::read_request(
      STDIN_FILENO, is_gc ? protocol::kGcRequestLimit : protocol::kRequestLimit));
  if (protocol::find_version(netconf.cni_version())) version = netconf.cni_version();
  chain::require_network_name(netconf, invoked_as);
  const Command command = protocol::require_known_command(*environment);

  module::Locations where = locations(environment->path);
  const auto time = command == Command::del ? chain::kDelTime : chain::kVerbTime;
  const chain::Request request{command,
                               std::move(*environment),
                               std::move(netconf),
                               invoked_as,
                               std::move(where),
                               environment_strings(),
                               std::chrono::steady_clock::now() + time};
  chain::run(
      request,
      [&](std::string_view type) { exec::set_crash_context(type, command_name(command), version); },
      [command](const std::string& document) {
        exec::mark_result_written();
        write_all(STDOUT_FILENO, document);
        // ADD's journal is complete and its answer is out: what is left to do, the kernel does.
        if (command == Command::add) ::_exit(0);
      });
}

/// An error that can't be told on stdout any more has only the exit status left.
int fail(const Error& error, const std::string& version) noexcept {
  try {
    write_all(STDOUT_FILENO, unicni::protocol::print_error(error, version));
  } catch (...) {
    return 1;
  }
  return 1;
}

int run(int argc, char** argv) {
  std::string_view invoked_as = argc > 0 ? argv[0] : "unicni";
  invoked_as.remove_prefix(invoked_as.rfind('/') + 1);
  std::string version(unicni::protocol::version_text(unicni::protocol::kNewest));
  try {
    if (argc > 1) return unicni::exec::answer_arguments(argc, argv);
    unicni::exec::install_crash_handler();
    serve(std::string(invoked_as), version);
    return 0;
  } catch (const Error& error) {
    return fail(error, version);
  } catch (const std::exception& error) {
    return fail(Error(Code::internal, error.what()), version);
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Memory is asked of the kernel once and given back by the exit; what isn't touched costs
  // nothing.
  ::mallopt(M_TOP_PAD, kHeapStep);
  ::mallopt(M_TRIM_THRESHOLD, kNeverTrim);
  // A runtime that stops reading, or a delegate that doesn't read, is an error to report, not a
  // death.
  std::signal(SIGPIPE, SIG_IGN);
  // Ignored by a parent, it would hide how a delegate ended.
  std::signal(SIGCHLD, SIG_DFL);
  const int status = run(argc, argv);
  // Nothing is buffered, and the kernel closes what is open. What exit(3) would still do is only
  // time.
  ::_exit(status);
}
