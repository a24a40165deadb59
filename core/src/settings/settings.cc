#include "settings/settings.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <exception>
#include <string_view>
#include <utility>

#include "base/stretch.h"
#include "module/trust.h"
#include "policy/compiled.h"
#include "protocol/reply.h"
#include "unicni/sys/process.h"

namespace unicni::settings {
namespace {

std::string parent(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

std::string reason_of(const sys::ProcessResult& result) {
  if (result.timed_out) return "it was ended at the deadline";
  if (result.signal != 0) return fmt::format("signal {}", result.signal);
  return fmt::format("exit status {}", result.exit_status);
}

/// Where nothing is known of the policies, nothing is allowed.
template <class Work>
auto or_unreadable(const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.is(Code::policy_unreadable)) throw;
    throw Error(Code::policy_unreadable, error.msg(), error.details());
  }
}

}  // namespace

std::vector<std::string> compiler_places(const module::Locations& where) {
  std::vector<std::string> places;
  if (!where.executable.empty()) {
    const std::string folder = parent(where.executable);
    places.push_back(folder.ends_with("/exec") ? parent(folder) + "/tools/unictl/unictl"
                                               : parent(parent(folder)) + "/bin/unictl");
  }
  if (!where.installed_unictl.empty() &&
      (places.empty() || places.front() != where.installed_unictl)) {
    places.push_back(where.installed_unictl);
  }
  return places;
}

void Settings::warn(const std::string& text) const {
  if (services_.log != nullptr) services_.log->log(LogLevel::warning, {}, text);
}

std::string Settings::find_compiler() const {
  std::string searched;
  for (const std::string& path : compiler_places(where_)) {
    searched += (searched.empty() ? "" : ", ") + path;
    if (!exists(path)) continue;
    try {
      module::require_trusted(path, where_.executable);
    } catch (const Error& error) {
      throw Error(Code::policy_unreadable,
                  fmt::format("unictl can't be run to compile {}: {}", services_.folders.settings,
                              error.msg()),
                  error.details());
    }
    return path;
  }
  throw Error(Code::policy_unreadable,
              fmt::format("unictl, which compiles {}, is absent: {}", services_.folders.settings,
                          searched.empty() ? "nobody said where unicni is installed" : searched),
              "install unicni as a whole, or give the executable by its place in such a tree");
}

/// What the program prints counts, not what it leaves in the folder: another verb may have compiled
/// something newer meanwhile, and the folder may be full.
Compiled Settings::compile(const std::string& subject, Deadline deadline) const {
  const std::string program = find_compiler();
  const Folders& folders = services_.folders;
  std::vector<std::string> arguments = {"compile",        subject,          "--print",
                                        "--settings",     folders.settings, "--executable",
                                        where_.executable};
  if (keep_ == Keep::entries) arguments.insert(arguments.end(), {"--run", folders.run});
  const Stretch stretch(
      services_.observer, Phase::program, [&] { return fmt::format("compile {}", subject); },
      Worker{"unictl"});
  const sys::ProcessResult result =
      run_program(services_, program, environment_, {}, deadline, arguments);
  if (result.signal != 0 || result.timed_out) {
    throw Error(Code::policy_unreadable,
                fmt::format("{} compile {}: {}", program, subject, reason_of(result)),
                "run that by hand to see what is wrong: it prints what a verb reads");
  }
  if (result.exit_status != 0) {
    throw protocol::parse_error(result.out, result.err_tail, {reason_of(result)});
  }
  if (auto compiled = parse_compiled(result.out)) return *std::move(compiled);
  throw Error(Code::policy_unreadable,
              fmt::format("{} printed nothing that this unicni can read", program),
              "install unictl and unicni of one version");
}

Compiled Settings::compiled(const std::string& subject, const std::string& folder) const {
  auto known = find_compiled(services_.folders, subject);
  const bool counts = known && is_for(*known, folder, where_.executable) && is_current(*known);
  Compiled compiled = counts ? *std::move(known) : compile(subject, deadline_);
  for (const std::string& text : compiled.warnings) warn(text);
  return compiled;
}

namespace {

/// 0: something stands there, be it a link to nowhere; ENOENT: nothing; else why that isn't known.
int look_for_policies(const Folders& folders) {
  struct stat found {};
  if (::lstat(folders.policies().c_str(), &found) == 0) return 0;
  const int error = errno;
  // Of a machine whose settings a user may not see, nothing holds for him.
  const bool is_absent = error == ENOTDIR || (error == EACCES && module::is_rootless());
  return is_absent ? ENOENT : error;
}

}  // namespace

bool has_policies(const Folders& folders) { return look_for_policies(folders) != ENOENT; }

std::optional<policy::Policy> Settings::policy() const {
  const int error = look_for_policies(services_.folders);
  if (error == ENOENT) return std::nullopt;
  const std::string folder = services_.folders.policies();
  const auto refuse = [](const std::string& why) {
    throw Error(Code::policy_unreadable, why,
                "policies can't be passed over: remove the folder, or let it be read");
  };
  if (error != 0) refuse(system_error(error, "stat " + folder).msg());
  struct stat found {};
  // A link that leads nowhere is no absence: somebody wanted policies.
  if (::stat(folder.c_str(), &found) != 0) {
    refuse(system_error(errno, "stat " + folder).msg());
  }
  if (!S_ISDIR(found.st_mode)) refuse(folder + " is no folder");
  return or_unreadable([&] {
    auto policy = policy::parse_policy(compiled(kPolicy, folder).body);
    if (policy) return std::optional(*std::move(policy));
    throw Error(Code::policy_unreadable, "the compiled policies are of another version",
                "install unictl and unicni of one version");
  });
}

std::string Settings::chain(const std::string& name) const {
  return compiled(chain_subject(name), services_.folders.chains()).body;
}

std::optional<std::string> Settings::find_chain(const std::string& name,
                                                Unknown unknown) const noexcept {
  try {
    auto known = find_compiled(services_.folders, chain_subject(name));
    if (known && is_for(*known, services_.folders.chains(), "")) return std::move(known->body);
    if (unknown == Unknown::stays) return std::nullopt;
    const auto now = Deadline::clock::now();
    return compile(chain_subject(name), now + (deadline_ - now) / 2).body;
  } catch (const std::exception& error) {
    warn(fmt::format("chain {}: {}", name, error.what()));
  }
  return std::nullopt;
}

}  // namespace unicni::settings
