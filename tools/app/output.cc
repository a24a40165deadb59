#include "app/output.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace unicni::app {
namespace {

void write_to(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace

void Output::put(const Report& report) const {
  write(is_json_ ? report.json() : report.text(Terminal::of(STDOUT_FILENO)));
}

void Output::put_aside(const Report& report) const {
  std::fflush(stdout);  // what was written before comes before
  write_to(stderr, report.text(Terminal::of(STDERR_FILENO)));
}

void Output::write(std::string_view text) const { write_to(stdout, text); }

void Output::say(std::string_view text) const {
  write_to(stderr, fmt::format("{}: {}\n", program_, printable(text)));
}

void Output::warn(std::string_view text) const { say(fmt::format("warning: {}", text)); }

void Output::fail(const Error& error) const {
  say(error.msg());
  if (!error.details().empty()) write_to(stderr, fmt::format("  {}\n", printable(error.details())));
}

void Output::finish() const {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw Error(Code::io, system_error(errno, "write to stdout").msg());
}

}  // namespace unicni::app
