#include "chain/foreign_del.h"

#include <fmt/core.h>

#include "base/program_runner.h"
#include "base/shell_word.h"
#include "chain/foreign.h"
#include "module/registry.h"

namespace unicni::chain {

namespace {

/// Whether nothing of the attachment can be left in a container: GC and STATUS have none, DEL may
/// have none, and an undo step looks where its ADD was.
bool is_namespace_gone(const Request& request, Host& host) {
  const Command command = request.command;
  if (command == Command::gc || command == Command::status) return true;
  if (command == Command::del && request.environment.netns.empty()) return true;
  try {
    return host.container_netns() == nullptr;
  } catch (const Error& error) {
    if (!error.is(Code::invalid_netns)) throw;
    return true;
  }
}

/// Whether anybody says that the attachment was made: the journal, or the runtime's result of ADD.
bool is_known(const Request& request, const ForeignDel& what) {
  if (what.added || !what.remembered.empty()) return true;
  try {
    return request.netconf.prev_result().has_value();
  } catch (const Error&) {
    return true;  // of something it was
  }
}

/// Of a program that can't be asked: `why` goes on behind its name, `mend` is what to do.
void tell_unasked(const Request& request, Host& host, const ForeignDel& what,
                  const std::string& why, const std::string& mend) {
  if (request.command == Command::del && !is_known(request, what)) {
    host.log(LogLevel::warning,
             fmt::format("plugin {} {}: its DEL is left out, as nothing is known of an ADD of {}",
                         what.type, why, what.key.owner()));
    return;
  }
  const std::string text =
      fmt::format("plugin {} has a part in {} and {}", what.type, what.key.owner(), why);
  if (!is_namespace_gone(request, host)) {
    throw Error(Code::internal, text,
                fmt::format("{}, or end the container; then send DEL again", mend));
  }
  host.log(LogLevel::warning,
           text +
               ": its DEL is left out, and what it made outside of the container stays, such as "
               "addresses that it reserved, links and rules");
}

void tell_absent(const Request& request, Host& host, const ForeignDel& what) {
  const std::string passed_over =
      module::find_not_executable(what.type, what.remembered, request.where);
  if (!passed_over.empty()) {
    return tell_unasked(request, host, what, fmt::format("{} is not executable", passed_over),
                        fmt::format("chmod +x {}", shell_word(passed_over)));
  }
  tell_unasked(
      request, host, what,
      fmt::format("is in no folder of CNI_PATH{}",
                  what.remembered.empty() ? "" : fmt::format(", and {} is gone", what.remembered)),
      fmt::format("install {} again", what.type));
}

/// In the roll-back of its own ADD it has refused that as well, and made nothing.
void tell_unexecutable(const Request& request, Host& host, const ForeignDel& what,
                       const std::string& program, const Error& error) {
  if (request.command == Command::add && !what.added) return;
  tell_unasked(request, host, what, fmt::format("can't be asked: {}", error.msg()),
               fmt::format("install {} again in place of {}", what.type, program));
}

}  // namespace

std::string find_program(const Request& request, const std::string& type,
                         const std::string& remembered) {
  module::require_valid_type(type);
  std::string program = module::find_executable(type, request.where);
  if (program.empty() && module::is_runnable(remembered)) program = remembered;
  return program;
}

void del_foreign(const Request& request, Host& host, const ForeignDel& what) {
  const std::string program = find_program(request, what.type, what.remembered);
  if (program.empty()) return tell_absent(request, host, what);
  try {
    run_foreign(request, program, Command::del, what.config, what.place);
  } catch (const sys::Unexecutable& error) {
    tell_unexecutable(request, host, what, program, error);
  } catch (const Error& error) {
    if (what.added || !error.is(Code::incompatible_version)) throw;
    host.log(LogLevel::warning,
             fmt::format("{} refuses DEL of {}: {}; its ADD never succeeded, so nothing of it is "
                         "left",
                         what.type, what.key.owner(), error.msg()));
  }
}

}  // namespace unicni::chain
