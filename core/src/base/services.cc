// Key functions of what the program around core supplies, and the choice of who runs programs.
#include "base/services.h"

#include "base/program_runner.h"

namespace unicni {

LogSink::~LogSink() = default;
Observer::~Observer() = default;
sys::BackgroundSend::~BackgroundSend() = default;
sys::BackgroundChild::~BackgroundChild() = default;
sys::StartedProgram::~StartedProgram() = default;
sys::ProgramRunner::~ProgramRunner() = default;

std::unique_ptr<sys::StartedProgram> sys::ProgramRunner::start(const std::string&,
                                                               const std::vector<std::string>&,
                                                               Deadline) noexcept {
  return nullptr;
}

sys::ProcessResult run_program(const Services& services, const std::string& program,
                               const std::vector<std::string>& env, std::string_view input,
                               Deadline deadline, const std::vector<std::string>& arguments) {
  if (services.programs == nullptr)
    return sys::run_process(program, env, input, deadline, arguments, services.log);
  return services.programs->run(program, env, input, deadline, arguments, services.log);
}

}  // namespace unicni
