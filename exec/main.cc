// The universal CNI executable: environment and stdin in, one JSON document out.
#include <fmt/core.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include "answer.h"
#include "base/services.h"
#include "chain/chain.h"
#include "crash.h"
#include "descriptors.h"
#include "forked_children.h"
#include "help.h"
#include "installed.h"
#include "module/cache.h"
#include "protocol/reply.h"
#include "protocol/request.h"
#include "protocol/version.h"
#include "spawner/serve.h"
#include "spawner/wire.h"
#include "standard_error.h"
#include "unicni/error.h"

namespace {

using unicni::Code;
using unicni::Command;
using unicni::Error;

constexpr int kHeapStep = 1 << 20;                           // bytes
constexpr int kNeverTrim = std::numeric_limits<int>::max();  // bytes

/// Says what a crash is of while a module is opened: initialisers of anybody's code run then.
class WatchedCache final : public unicni::module::Cache {
  const unicni::ModuleDescriptor& open_file(const unicni::module::Found& found,
                                            const std::string& executable) override {
    const unicni::exec::CrashInOpening opening(found.module_path);
    return Cache::open_file(found, executable);
  }
};

/// What this process owns and core works with.
struct Process {
  unicni::exec::Answer answer;
  unicni::exec::StandardError log;
  unicni::exec::ForkedChildren children;
  WatchedCache modules;
  unicni::Services services{.log = &log, .background = &children};
};

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

void tell_people(std::string_view text) {
  unicni::exec::write_all(STDERR_FILENO, text, "write to stderr");
}

/// `name`: that of our file, which whoever installed us has chosen.
unicni::module::Locations locations(const std::string& name, std::vector<std::string> cni_path) {
  namespace module = unicni::module;
  module::Locations where;
  where.executable = executable_path();
  where.modules = module::module_folders(where.executable, unicni::exec::installed_modules());
  where.cni_path = std::move(cni_path);
  where.installed_unictl = unicni::exec::installed_unictl();
  if (name != unicni::chain::kChainType) where.own = module::find_named(name, where);
  return where;
}

/// What the module says of itself that is called by its own name; nullptr: it is a chain. Throws
/// what ADD would throw if the module can't be used. The library stays open.
const unicni::ModuleDescriptor* own_module(const std::string& name,
                                           const unicni::module::Locations& where,
                                           Process& process) {
  if (name == unicni::chain::kChainType) return nullptr;
  return &process.modules.open(unicni::module::get_named(name, where), where.executable);
}

/// What a plugin says of itself.
std::string about(const std::string& name, const unicni::module::Locations& where,
                  Process& process) {
  const auto* module = own_module(name, where, process);
  if (module == nullptr) return unicni::protocol::print_about(name);
  return unicni::protocol::print_about(module->name, module->spec_versions, module->version);
}

/// The module's own command line, which is no CNI verb: errors are for people.
int command(const std::string& name, int argc, const char* const* argv, Process& process) {
  namespace module = unicni::module;
  try {
    const module::Locations where = locations(name, {});
    module::LoadedModule own =
        process.modules.load(module::get_named(name, where), where.executable);
    const int status = own.command(argc, argv);
    std::fflush(nullptr);
    return status;
  } catch (const Error& error) {
    tell_people(fmt::format("{}\n{}\n", error.msg(), error.details()));
    return 2;
  }
}

/// The runtime that waits for the answer on stdout.
class StandardStreams final : public unicni::chain::Caller {
 public:
  StandardStreams(Command command, const std::string& version, Process& process)
      : command_(command), version_(version), process_(process) {}
  void on_member(std::string_view type) override {
    unicni::exec::set_crash_context(type, unicni::command_name(command_), version_);
  }
  void on_result(const std::string& document) override {
    unicni::exec::mark_result_written();
    process_.answer.write(document);
  }
  // Its journal is complete and its answer is out: what is left to do, the kernel does.
  void on_added() override {
    process_.children.settle();
    ::_exit(0);
  }

 private:
  Command command_;
  const std::string& version_;
  Process& process_;
};

/// Runs one verb. `version` becomes the configuration's as soon as it is known, for the error
/// document.
void serve(const std::string& invoked_as, std::string& version, Process& process) {
  using namespace unicni;
  auto environment = protocol::read_environment([](const char* name) { return std::getenv(name); });
  module::Locations where =
      locations(invoked_as, environment ? environment->path : std::vector<std::string>());
  if (!environment) {
    tell_people(about(invoked_as, where, process));
    return;
  }
  if (environment->command == Command::version) {
    const auto* module = own_module(invoked_as, where, process);
    process.answer.write(
        protocol::print_version(protocol::read_optional_request(STDIN_FILENO),
                                module == nullptr ? nullptr : module->spec_versions));
    return;
  }
  const bool is_gc = environment->command == Command::gc;
  protocol::Netconf netconf = protocol::Netconf::parse(protocol::read_request(
      STDIN_FILENO, is_gc ? protocol::kGcRequestLimit : protocol::kRequestLimit));
  if (protocol::find_version(netconf.cni_version())) version = netconf.cni_version();
  exec::set_crash_version(version);
  chain::require_network_name(netconf, where.own ? where.own->module : invoked_as);
  const Command command = protocol::require_known_command(*environment);

  const auto time = command == Command::del ? chain::kDelTime : chain::kVerbTime;
  const chain::Request request{command,
                               std::move(*environment),
                               std::move(netconf),
                               invoked_as,
                               std::move(where),
                               environment_strings(),
                               std::chrono::steady_clock::now() + time,
                               process.services,
                               process.modules};
  StandardStreams caller(command, version, process);
  chain::run(request, caller);
}

/// An error that can't be told on stdout any more is told on stderr, which may be gone as well.
int fail(const Error& error, const std::string& version,
         const unicni::exec::Answer& answer) noexcept {
  for (const int fd : {answer.fd(), STDERR_FILENO}) {
    try {
      unicni::exec::write_all(fd, unicni::protocol::print_error(error, version), "write");
      break;
    } catch (...) {
      continue;
    }
  }
  return 1;
}

/// Before the first module is opened: what it prints, or dies of, doesn't spoil the answer.
void prepare(Process& process, const std::string& version) {
  process.answer.keep_from_modules();
  unicni::exec::install_crash_handler(process.answer.fd());
  unicni::exec::set_crash_version(version);
}

int run(int argc, char** argv, Process& process) {
  std::string_view path = argc > 0 ? argv[0] : unicni::chain::kChainType;
  path.remove_prefix(path.rfind('/') + 1);
  const std::string invoked_as(path);
  std::string version(unicni::protocol::version_text(unicni::protocol::kNewest));
  try {
    const bool asks_version = argc == 2 && std::string_view(argv[1]) == "--version";
    if (asks_version && invoked_as != unicni::chain::kChainType) {
      // Nomad before 1.8 asks a plugin so, and takes the first version that it reads.
      prepare(process, version);
      process.answer.write(about(invoked_as, locations(invoked_as, {}), process));
      return 0;
    }
    if (argc > 1 && argv[1][0] != '-' && invoked_as != unicni::chain::kChainType) {
      return command(invoked_as, argc - 1, argv + 1, process);
    }
    if (argc > 1) return unicni::exec::answer_arguments(argc, argv);
    prepare(process, version);
    serve(invoked_as, version, process);
    return 0;
  } catch (const Error& error) {
    return fail(error, version, process.answer);
  } catch (const std::exception& error) {
    return fail(Error(Code::internal, error.what()), version, process.answer);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == unicni::spawner::kArgument) {
    return unicni::spawner::serve();
  }
  unicni::exec::fill_standard_descriptors();
  // Memory is asked of the kernel once and given back by the exit; what isn't touched costs
  // nothing.
  ::mallopt(M_TOP_PAD, kHeapStep);
  ::mallopt(M_TRIM_THRESHOLD, kNeverTrim);
  // A runtime that stops reading, or a delegate that doesn't read, is an error to report, not a
  // death.
  std::signal(SIGPIPE, SIG_IGN);
  // Ignored by a parent, it would hide how a delegate ended.
  std::signal(SIGCHLD, SIG_DFL);
  Process process;
  const int status = run(argc, argv, process);
  process.children.settle();
  // Nothing is buffered, and the kernel closes what is open. What exit(3) would still do is only
  // time.
  ::_exit(status);
}
