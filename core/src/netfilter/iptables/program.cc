#include "netfilter/iptables/program.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "unicni/error.h"
#include "unicni/sys/lock.h"
#include "unicni/sys/process.h"

namespace unicni::net {
namespace {

constexpr const char* kFolders[] = {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"};

std::string program_name(Family family, IptablesFlavour flavour, std::string_view verb) {
  constexpr const char* kFlavours[] = {"", "-legacy", "-nft"};
  return fmt::format("{}{}-{}", family == Family::v4 ? "iptables" : "ip6tables",
                     kFlavours[static_cast<int>(flavour)], verb);
}

std::optional<std::string> find_in_system(const std::string& name) {
  for (const char* folder : kFolders) {
    const std::string path = folder + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

/// Distributions may have the only flavour that they know under the plain name alone; where the
/// other one has a name of its own, the plain one may be that.
std::optional<std::string> find_program(Family family, IptablesFlavour flavour,
                                        std::string_view verb) {
  auto path = find_in_system(program_name(family, flavour, verb));
  if (path || flavour == IptablesFlavour::host) return path;
  const auto other =
      flavour == IptablesFlavour::legacy ? IptablesFlavour::nft : IptablesFlavour::legacy;
  if (find_in_system(program_name(family, other, verb))) return std::nullopt;
  return find_in_system(program_name(family, IptablesFlavour::host, verb));
}

/// With an environment of its own: variables of the runtime change what iptables does
/// (XTABLES_LIBDIR) and says (LC_ALL).
sys::ProcessResult run(const Services& services, const std::string& program,
                       const std::vector<std::string>& arguments, std::string_view input,
                       Deadline deadline) {
  static constexpr const char* kPath = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  auto result = run_program(services, program, {kPath, "LC_ALL=C"}, input, deadline, arguments);
  if (result.timed_out) {
    throw Error(Code::try_again, fmt::format("{} did not end in time", program),
                "try again; another program may hold /run/xtables.lock");
  }
  return result;
}

/// Half of what is left, in whole seconds: how long to wait for /run/xtables.lock.
std::string lock_wait(Deadline deadline) {
  const auto left = sys::lock_deadline(deadline) - std::chrono::steady_clock::now();
  return std::to_string(
      std::max<long>(1, std::chrono::duration_cast<std::chrono::seconds>(left).count()));
}

}  // namespace

// Never from PATH: a runtime's may hold anything, and what runs here is root's.
std::string require_iptables_program(Family family, IptablesFlavour flavour,
                                     std::string_view verb) {
  const auto path = find_program(family, flavour, verb);
  if (path) return *path;
  throw Error(Code::internal,
              fmt::format("there is no {} on this host", program_name(family, flavour, verb)),
              "install the package iptables, or set \"backend\": \"nftables\" (for ipMasq "
              "\"ipMasqBackend\": \"nftables\"), which needs no program");
}

bool can_save_table(Family family, IptablesFlavour flavour) {
  return find_program(family, flavour, "save").has_value();
}

bool can_restore_tables(Family family, IptablesFlavour flavour) {
  return find_program(family, flavour, "restore").has_value();
}

std::string save_table(const Services& services, Family family, IptablesFlavour flavour,
                       const char* table, Deadline deadline) {
  const std::string program = require_iptables_program(family, flavour, "save");
  auto result = run(services, program, {"-t", table}, {}, deadline);
  if (result.exit_status != 0) {
    throw Error(Code::internal,
                fmt::format("{} -t {}: exit status {}", program, table, result.exit_status),
                result.err_tail);
  }
  return std::move(result.out);
}

// "--noflush": the other chains of the table stay, and those that the lines name are added to. With
// "-w" legacy waits for /run/xtables.lock instead of giving up at once.
bool restore_table(const Services& services, Family family, IptablesFlavour flavour,
                   const char* table, std::string_view lines, Deadline deadline,
                   std::string& complaint) {
  const std::string program = require_iptables_program(family, flavour, "restore");
  Services quiet = services;
  quiet.log = nullptr;  // what it says of a try that is made again is nobody's concern
  const auto result = run(quiet, program, {"--noflush", "-w", lock_wait(deadline)},
                          fmt::format("*{}\n{}COMMIT\n", table, lines), deadline);
  if (result.exit_status == 0) {
    if (services.log != nullptr && !result.err_tail.empty()) services.log->pass_on(result.err_tail);
    return true;
  }
  complaint = fmt::format("{}: exit status {}: {}", program, result.exit_status, result.err_tail);
  return false;
}

}  // namespace unicni::net
