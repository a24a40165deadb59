// The request as a runtime sends it: verb and names in the environment, the configuration on stdin
// (CNI spec, section 2).
#include "protocol/request.h"

#include <fmt/core.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "protocol/document.h"
#include "protocol/name.h"
#include "unicni/error.h"

namespace unicni::protocol {
namespace {

constexpr unsigned bits(Command command) { return static_cast<unsigned>(command); }
constexpr unsigned kAttachment = bits(Command::add) | bits(Command::check) | bits(Command::del);
constexpr unsigned kNeedsNetns = bits(Command::add) | bits(Command::check);
constexpr unsigned kNeedsPath = kAttachment | bits(Command::gc) | bits(Command::status);

constexpr std::array kCommands = {Command::add, Command::del,    Command::check,
                                  Command::gc,  Command::status, Command::version};

constexpr std::size_t kFirstRead = 4096;  // a page, as each more is a page fault of every call
constexpr int kSilence = 200;             // ms

/// Upper case only, as the spec writes them.
std::optional<Command> find_command(std::string_view text) {
  for (const Command command : kCommands) {
    if (text == command_name(command)) return command;
  }
  return std::nullopt;
}

std::string variable(const GetEnv& get, const char* name) {
  const char* value = get(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// Empty parts are dropped: "" would be the working folder, from which root must not run programs.
std::vector<std::string> split_path(std::string_view list) {
  std::vector<std::string> path;
  while (!list.empty()) {
    const std::size_t colon = list.find(':');
    if (colon != 0) path.emplace_back(list.substr(0, colon));
    if (colon == std::string_view::npos) break;
    list.remove_prefix(colon + 1);
  }
  return path;
}

// Returns the bytes read, 0 at the end, -1 with errno. Waits for a non-blocking stdin.
// Some runtimes hand on a socket or pipe that is non-blocking.
ssize_t read_some(int fd, char* to, std::size_t space) {
  for (;;) {
    const ssize_t count = ::read(fd, to, space);
    if (count >= 0 || (errno != EINTR && errno != EAGAIN)) return count;
    if (errno == EAGAIN) {
      pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, -1) < 0 && errno != EINTR) return -1;
    }
  }
}

}  // namespace

/// All missing variables are told in one error, in the order and with the text of the reference's
/// skeleton. A malformed one is told first, as there.
std::optional<Environment> read_environment(const GetEnv& get) {
  Environment env;
  env.command_text = variable(get, "CNI_COMMAND");
  if (env.command_text.empty()) return std::nullopt;
  env.command = find_command(env.command_text);
  const unsigned command = env.command ? bits(*env.command) : 0;

  std::string missing;
  const auto take = [&](const char* name, unsigned required_by) {
    std::string value = variable(get, name);
    if (value.empty() && (required_by & command) != 0) {
      missing += fmt::format("{}{}", missing.empty() ? "" : ",", name);
    }
    return value;
  };

  env.container_id = take("CNI_CONTAINERID", kAttachment);
  if ((command & kAttachment) != 0 && !env.container_id.empty() && !valid_name(env.container_id)) {
    throw Error(
        Code::invalid_environment, "invalid characters in containerID",
        fmt::format("CNI_CONTAINERID is {}; a letter or digit, then letters, digits and _ . - "
                    "are allowed",
                    quote(env.container_id)));
  }
  env.netns = take("CNI_NETNS", kNeedsNetns);
  env.if_name = take("CNI_IFNAME", kAttachment);
  if ((command & kAttachment) != 0 && !env.if_name.empty()) {
    const bool is_del = command == bits(Command::del);
    auto why = is_del ? refuse_if_name(env.if_name) : refuse_new_if_name(env.if_name);
    if (why) {
      throw Error(Code::invalid_environment, std::move(*why),
                  fmt::format("CNI_IFNAME is {}; 1 to 15 bytes without / : % A0 and white space "
                              "are allowed, and not . or ..",
                              quote(env.if_name)));
    }
  }
  env.args = take("CNI_ARGS", 0);
  env.path = split_path(take("CNI_PATH", kNeedsPath));
  const std::string override_text = take("CNI_NETNS_OVERRIDE", 0);
  env.netns_override = override_text == "1" || same_letters(override_text, "true");
  if (!missing.empty()) {
    throw Error(Code::invalid_environment,
                fmt::format("required env variables [{}] missing", missing),
                fmt::format("{} needs these variables, set and not empty", env.command_text));
  }

  // OpenTelemetry's variables: handed on to programs, and otherwise not looked at.
  for (const char* name : {"TRACEPARENT", "TRACESTATE", "BAGGAGE"}) {
    std::string value = variable(get, name);
    if (!value.empty()) env.trace.emplace_back(name, std::move(value));
  }
  return env;
}

Command require_known_command(const Environment& environment) {
  if (environment.command) return *environment.command;
  throw Error(Code::invalid_environment,
              fmt::format("unknown CNI_COMMAND: {}", environment.command_text),
              "ADD, DEL, CHECK, GC, STATUS and VERSION are known, in upper case");
}

std::vector<std::pair<std::string, std::string>> parse_args(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!text.empty()) {
    const std::size_t end = text.find(';');
    const std::string_view piece = text.substr(0, end);
    const std::size_t equals = piece.find('=');
    const bool last = end == std::string_view::npos;
    const bool empty_tail = !last && end + 1 == text.size();
    if (equals == std::string_view::npos || piece.find('=', equals + 1) != std::string_view::npos ||
        empty_tail) {
      throw Error(
          Code::invalid_environment,
          fmt::format("ARGS: invalid pair {}", quote(empty_tail ? "" : piece)),
          "CNI_ARGS is K=V;K=V; neither part can hold ; or =, and no ; follows the last pair");
    }
    pairs.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
    if (last) break;
    text.remove_prefix(end + 1);
  }
  return pairs;
}

/// Read to the end of the stream. The first read has room for most requests, so these take two
/// system calls.
std::string read_request(int fd, std::size_t limit) {
  std::string text(std::min(kFirstRead, limit + 1), '\0');
  std::size_t used = 0;
  for (;;) {
    const ssize_t count = read_some(fd, text.data() + used, text.size() - used);
    if (count < 0) {
      throw Error(Code::io,
                  fmt::format("error reading from stdin: {} ({})", strerrordesc_np(errno),
                              strerrorname_np(errno)),
                  "send the network configuration on stdin");
    }
    used += static_cast<std::size_t>(count);
    if (count == 0) break;
    if (used > limit) {
      throw Error(Code::decode, fmt::format("the request on stdin is larger than {} bytes", limit),
                  "a network configuration may have 1 MiB, that of a GC 32 MiB");
    }
    if (used == text.size()) text.resize(std::min(text.size() * 4, limit + 1));
  }
  text.resize(used);
  return text;
}

/// For VERSION, whose caller may send nothing and keep stdin open: silence ends it.
std::string read_optional_request(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() <= kRequestLimit) {
    pollfd wait{fd, POLLIN, 0};
    const int ready = ::poll(&wait, 1, kSilence);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace unicni::protocol
