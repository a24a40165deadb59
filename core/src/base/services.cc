// Key functions of what the program around core supplies.
#include "base/services.h"

#include "base/program_runner.h"

namespace unicni {

LogSink::~LogSink() = default;
Observer::~Observer() = default;
sys::BackgroundSend::~BackgroundSend() = default;
sys::BackgroundChild::~BackgroundChild() = default;
sys::ProgramRunner::~ProgramRunner() = default;

}  // namespace unicni
