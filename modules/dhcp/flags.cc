#include "flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "config.h"
#include "unicni/error.h"
#include "unicni/folders.h"
#include "unicni/undo/lease.h"

namespace unicni::dhcp {

namespace {

constexpr const char* kUsage =
    "usage: dhcp daemon [flags]\n"
    "       dhcp leases [-folder PATH] [-hostprefix PATH]\n"
    "  -socketpath PATH     where verbs connect (/run/cni/dhcp.sock)\n"
    "  -folder PATH         where the leases are (/run/unicni/dhcp)\n"
    "  -hostprefix PATH     folder before the paths of namespaces, socket and leases\n"
    "  -pidfile PATH        absolute path of a file for the process id\n"
    "  -broadcast           ask servers to answer to the broadcast address\n"
    "  -timeout TIME        longest wait for one answer while an ADD waits (10s)\n"
    "  -resendmax TIME      longest pause between two tries (62s)\n"
    "  -resendtimeout TIME  longest time for one address (208s)\n"
    "  -help                says this";

constexpr std::array<std::string_view, 2> kHelpWords{"help", "h"};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::invalid_environment, "dhcp: " + what, kUsage);
}

struct Unit {
  std::string_view name;
  double milliseconds;
};
constexpr std::array<Unit, 7> kUnits{
    {{"ns", 1e-6}, {"us", 1e-3}, {"µs", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}}};

}  // namespace

std::optional<Span> parse_duration(std::string_view text) {
  constexpr double kMost = 1e12;
  if (text == "0") return Span(0);
  if (text.empty()) return std::nullopt;
  double sum = 0;
  while (!text.empty()) {
    double number = 0;
    const auto read =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (read.ec != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    const std::size_t end = std::min(text.find_first_of("0123456789."), text.size());
    const auto* unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& each) {
      return each.name == text.substr(0, end);
    });
    if (unit == kUnits.end()) return std::nullopt;
    text.remove_prefix(end);
    sum += number * unit->milliseconds;
    if (!(sum < kMost)) return std::nullopt;
  }
  return Span(static_cast<std::int64_t>(sum));
}

const char* usage() { return kUsage; }

DaemonFlags parse_flags(int argc, const char* const* argv) {
  DaemonFlags flags;
  flags.socket_path = kDefaultSocket;
  flags.folder = lease_folder(Folders{});
  for (int i = 0; i < argc; ++i) {
    std::string_view word = argv[i];
    if (!word.starts_with('-')) refuse(fmt::format("\"{}\" is no flag", word));
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    if (std::find(kHelpWords.begin(), kHelpWords.end(), word) != kHelpWords.end()) {
      flags.help = true;
      return flags;
    }
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    std::optional<std::string_view> given;
    if (equals != std::string_view::npos) given = word.substr(equals + 1);
    if (name == "broadcast") {
      if (given && *given != "true" && *given != "false") refuse("-broadcast is true or false");
      flags.broadcast = !given || *given == "true";
      continue;
    }
    const bool is_text =
        name == "pidfile" || name == "hostprefix" || name == "socketpath" || name == "folder";
    const bool is_time = name == "timeout" || name == "resendmax" || name == "resendtimeout";
    if (!is_text && !is_time) refuse(fmt::format("there is no flag -{}", name));
    if (!given) {
      if (++i == argc) refuse(fmt::format("-{} needs a value", name));
      given = argv[i];
    }
    if (is_text) {
      std::string& text = name == "pidfile"      ? flags.pid_file
                          : name == "hostprefix" ? flags.host_prefix
                          : name == "folder"     ? flags.folder
                                                 : flags.socket_path;
      text = *given;
      continue;
    }
    const auto time = parse_duration(*given);
    if (!time || time->count() == 0) refuse(fmt::format("-{}: \"{}\" is no time", name, *given));
    Span& span = name == "timeout"     ? flags.timeout
                 : name == "resendmax" ? flags.resend_max
                                       : flags.resend_timeout;
    span = *time;
  }
  if (!flags.pid_file.empty() && !flags.pid_file.starts_with('/')) {
    throw Error(Code::invalid_environment,
                fmt::format("Error writing pidfile \"{}\": path not absolute", flags.pid_file));
  }
  if (!flags.host_prefix.empty() && !flags.host_prefix.starts_with('/')) {
    refuse("-hostprefix is no absolute path");
  }
  if (!flags.socket_path.starts_with('/')) refuse("-socketpath is no absolute path");
  if (!flags.folder.starts_with('/')) refuse("-folder is no absolute path");
  return flags;
}

}  // namespace unicni::dhcp
