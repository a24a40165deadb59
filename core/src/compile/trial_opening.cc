#include "compile/trial_opening.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>

#include "base/forked_child.h"
#include "module/refusal.h"
#include "unicni/sys/fd.h"

namespace unicni::compile {
namespace {

using Modules = std::span<const module::Found>;

/// In the child. A byte to `told` for each module that is open, or was refused, which says why when
/// it is opened in earnest.
void open_all(Modules modules, const std::string& executable, const sys::Fd& told) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  for (const module::Found& each : modules) {
    try {
      (void)module::open(each.module, each.module_path, executable);
    } catch (const Error&) {
    }
    if (::write(told.get(), "", 1) != 1) break;
  }
}

struct Trial {
  std::size_t opened;  ///< so many, from the first
  int status;          ///< of waitpid(2)
};

Trial try_opening(Modules modules, const std::string& executable) {
  // Without waiting: what a module leaves running may hold the other end.
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw system_error(errno, "pipe2");
  const sys::Fd heard(ends[0]);
  sys::Fd told(ends[1]);
  std::fflush(nullptr);  // else a child that calls exit writes it as well
  const pid_t child = sys::fork_child([&] {
    open_all(modules, executable, told);
    return 0;
  });
  if (child < 0) throw system_error(errno, "fork");
  told.reset();
  Trial trial{0, sys::wait_for_child(child)};
  std::array<char, 256> bytes{};
  for (ssize_t n = 0; (n = ::read(heard.get(), bytes.data(), bytes.size())) > 0;) {
    trial.opened += static_cast<std::size_t>(n);
  }
  return trial;
}

Error deadly(const std::string& path, int status) {
  std::string end = "calls exit";
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    end = fmt::format("ends the process by signal {} ({}){}", signal, ::strsignal(signal),
                      signal == SIGABRT ? ", as an exception does there" : "");
  }
  return module::unusable(path, fmt::format("a static initialiser of it {}", end),
                          "this is a bug in the module, which has to do without static "
                          "initialisers, or its file is damaged");
}

}  // namespace

std::map<std::string, Error> find_deadly(const std::vector<module::Found>& modules,
                                         const std::string& executable) {
  std::map<std::string, Error> found;
  for (Modules rest = modules; !rest.empty();) {
    const Trial trial = try_opening(rest, executable);
    if (trial.opened >= rest.size()) break;
    const std::string& path = rest[trial.opened].module_path;
    found.emplace(path, deadly(path, trial.status));
    rest = rest.subspan(trial.opened + 1);
  }
  return found;
}

const ModuleDescriptor& CautiousCache::open_file(const module::Found& found,
                                                 const std::string& executable) {
  const auto refusals = find_deadly({found}, executable);
  if (!refusals.empty()) throw refusals.begin()->second;
  return Cache::open_file(found, executable);
}

}  // namespace unicni::compile
