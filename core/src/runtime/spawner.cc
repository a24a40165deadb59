#include "runtime/spawner.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "runtime/no_signals.h"
#include "spawner/wire.h"
#include "unicni/error.h"

namespace unicni::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// libcni tries six times, a second apart; what is written is whole long before, mostly.
constexpr milliseconds kBusyTime{5000};
constexpr milliseconds kLongestPause{50};
constexpr std::chrono::hours kLongest{24 * 365};  // so that what is added to a deadline is time
constexpr int kMostSpawners = 3;  // for one run; another one that is killed at once is no accident

}  // namespace

Spawner::Spawner(const std::string& executable, LogSink* log)
    : log_(log),
      netns_(net::Netns::current()),
      executable_(::open(executable.c_str(), O_PATH | O_CLOEXEC)) {
  if (executable_) return;
  unusable_ = true;
  say(system_error(errno, "open " + executable).msg());
}

Spawner::~Spawner() = default;

void Spawner::say(const std::string& text) {
  if (log_ == nullptr) return;
  log_->log(
      LogLevel::warning, "",
      fmt::format("plugins are children of this program, which must neither ignore SIGCHLD nor "
                  "wait for any child: there is no spawner: {}",
                  text));
}

pid_t Spawner::pid() {
  const std::lock_guard lock(mutex_);
  return process_ ? process_->pid() : -1;
}

/// nullptr: there can't be one.
std::shared_ptr<SpawnerProcess> Spawner::process(Deadline deadline) {
  const std::lock_guard lock(mutex_);
  if (process_ || unusable_) return process_;
  try {
    process_ = std::make_shared<SpawnerProcess>(executable_, netns_, deadline);
    has_served_ = true;
  } catch (const NotASpawner& error) {
    if (has_served_) throw;
    unusable_ = true;
    say(error.msg());
  }
  return process_;
}

void Spawner::forget(const std::shared_ptr<SpawnerProcess>& process) {
  const std::lock_guard lock(mutex_);
  if (process_ == process) process_.reset();
}

/// Goes with `run` to its end, and forgets a process that is no spawner any more.
SpawnerRun::Outcome Spawner::finish(SpawnerRun& run, const std::shared_ptr<SpawnerProcess>& process,
                                    std::string_view input, Deadline deadline, LogSink* log) {
  try {
    const auto outcome = run.finish(input, deadline, log);
    if (outcome == SpawnerRun::Outcome::not_taken) forget(process);
    return outcome;
  } catch (const Error&) {
    if (run.is_unanswered()) process->kill();
    if (run.is_unanswered() || run.is_lost()) forget(process);
    throw;
  }
}

sys::ProcessResult Spawner::run(const std::string& program, const std::vector<std::string>& env,
                                std::string_view input, Deadline deadline,
                                const std::vector<std::string>& arguments, LogSink* log) {
  sys::require_time(program, deadline);
  deadline = std::min<Deadline>(deadline, Clock::now() + kLongest);
  const std::string request = spawner::print_request(program, arguments, env, deadline);
  const auto busy_end = std::min<Deadline>(deadline, Clock::now() + kBusyTime);
  milliseconds pause{1};
  for (int lost = 0;;) {
    const auto process = this->process(deadline);
    if (!process) return run_directly(program, env, input, deadline, arguments, log);
    SpawnerRun run(*process, program, request);
    const auto outcome = finish(run, process, input, deadline, log);
    if (outcome == SpawnerRun::Outcome::ran) return run.take_result();
    if (outcome == SpawnerRun::Outcome::not_taken) {
      if (++lost < kMostSpawners) continue;
      throw Error(Code::internal, fmt::format("execute {}: the spawner does not stay", program),
                  "somebody kills it, or it can't be given more descriptors");
    }
    if (run.error() != ETXTBSY || Clock::now() + pause >= busy_end) {
      sys::refuse_execution(program, run.error());
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

class Spawner::Started final : public sys::StartedProgram {
 public:
  Started(Spawner& spawner, std::shared_ptr<SpawnerProcess> process, std::string program,
          const std::vector<std::string>& env, Deadline deadline)
      : spawner_(spawner),
        process_(std::move(process)),
        program_(std::move(program)),
        request_(spawner::print_request(program_, {}, env, deadline)),
        deadline_(deadline),
        run_(*process_, program_, request_) {}

  std::optional<sys::ProcessResult> finish(std::string_view input, LogSink* log) override {
    if (spawner_.finish(run_, process_, input, deadline_, log) != SpawnerRun::Outcome::ran) {
      return std::nullopt;
    }
    return run_.take_result();
  }

 private:
  Spawner& spawner_;
  const std::shared_ptr<SpawnerProcess> process_;
  const std::string program_;
  const std::string request_;
  const Deadline deadline_;
  SpawnerRun run_;
};

std::unique_ptr<sys::StartedProgram> Spawner::start(const std::string& program,
                                                    const std::vector<std::string>& env,
                                                    Deadline deadline) noexcept {
  try {
    sys::require_time(program, deadline);
    deadline = std::min<Deadline>(deadline, Clock::now() + kLongest);
    auto process = this->process(deadline);
    if (!process) return nullptr;
    return std::make_unique<Started>(*this, std::move(process), program, env, deadline);
  } catch (const std::exception&) {
    return nullptr;
  }
}

/// In a thread of its own, as this one may be in another namespace.
sys::ProcessResult Spawner::run_directly(const std::string& program,
                                         const std::vector<std::string>& env,
                                         std::string_view input, Deadline deadline,
                                         const std::vector<std::string>& arguments,
                                         LogSink* log) const {
  sys::ProcessResult result;
  std::exception_ptr failed;
  std::thread thread;
  {
    const NoSignals no_signals;
    thread = std::thread([&] {
      try {
        if (::setns(netns_.fd(), CLONE_NEWNET) != 0) {
          throw system_error(errno, "enter the program's network namespace");
        }
        result = sys::run_process(program, env, input, deadline, arguments, log);
      } catch (...) {
        failed = std::current_exception();
      }
    });
  }
  thread.join();
  if (failed) std::rethrow_exception(failed);
  return result;
}

}  // namespace unicni::runtime
