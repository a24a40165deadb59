// One plugin under the spawner.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/program_streams.h"
#include "runtime/spawner_process.h"
#include "spawner/wire.h"
#include "unicni/deadline.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/process.h"

namespace unicni::runtime {

/// Asks for it, and goes with it until its end.
class SpawnerRun {
 public:
  enum class Outcome : unsigned char {
    ran,
    not_executed,  ///< error() says why
    not_taken,     ///< the spawner was gone, or went before it did anything: another one can do it
  };

  /// `request` as spawner::print_request() makes it, `program` for texts; both live longer. Throws
  /// Error.
  SpawnerRun(const SpawnerProcess& process, const std::string& program, std::string_view request);
  SpawnerRun(const SpawnerRun&) = delete;
  SpawnerRun& operator=(const SpawnerRun&) = delete;
  /// After an exception the plugin is killed.
  ~SpawnerRun();

  /// `input` lives as long; `log` may be nullptr. Throws Error if the spawner ended under it.
  Outcome finish(std::string_view input, Deadline deadline, LogSink* log);
  [[nodiscard]] int error() const { return error_; }
  sys::ProcessResult take_result() { return std::move(result_); }
  /// The spawner ended under it.
  [[nodiscard]] bool is_lost() const { return lost_; }
  /// The spawner says nothing though it is over time: it was stopped, or hangs.
  [[nodiscard]] bool is_unanswered() const { return unanswered_; }

 private:
  void begin();
  [[nodiscard]] bool has_ended(Deadline now);
  [[nodiscard]] Deadline next_time(Deadline deadline) const;
  void step(Deadline until);
  void send_request();
  void read_reports();
  void take(const spawner::Report& report);

  const SpawnerProcess& process_;
  const std::string& program_;
  std::string_view request_;  // what of it isn't sent yet
  sys::Pipe in_ = sys::make_pipe();
  sys::Pipe out_ = sys::make_pipe();
  sys::Pipe err_ = sys::make_pipe();
  sys::ProgramStreams streams_;
  sys::Fd channel_;
  sys::ProcessResult result_;
  int error_ = 0;
  bool accepted_ = false;
  bool ended_ = false;
  bool lost_ = false;
  bool unanswered_ = false;
  std::optional<Deadline> grace_end_;  // it has got SIGTERM
};

}  // namespace unicni::runtime
